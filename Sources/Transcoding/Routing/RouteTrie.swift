// SPDX-License-Identifier: Apache-2.0

/// Finds routes by the segments of paths.
///
/// A node stands for the segments on the way to it. From a node, a literal leads on before `*`, and `*` before `**`,
/// which takes all that is left; the first way on which there is a route for the method is taken. Nothing behind `**`
/// is ever tried, so that no node is visited twice, and a path of n segments visits as many nodes as its own literals
/// and wildcards have: n where no literal stands beside a wildcard. Other routes cost nothing.
struct RouteTrie: Sendable {
  /// What came of a search.
  struct Outcome {
    /// The place of the route.
    var route: Int?
    /// Where what the template's segments match ends: before the verb's colon, or at the path's end.
    var end = 0
    /// Where there is no route, the methods of those that fit but for theirs.
    var methods: [String] = []
  }

  /// A route that ends at a node.
  private struct Leaf: Sendable {
    let verb: Int32
    /// `*` for any.
    let method: String
    let route: Int
  }

  private struct Node: Sendable {
    /// Where `*` leads; negative for nowhere.
    var any: Int32 = -1
    /// The routes that end here.
    var leaves: [Leaf] = []
    /// The routes that go on with `**`.
    var rest: [Leaf] = []
  }

  /// No verb: not the number of any.
  private static let noVerb: Int32 = -1
  /// What stands for the node that verbs are edges of.
  private static let verbs: Int32 = -1

  private var nodes = [Node()]
  private var edges = EdgeTable()
  private var verbCount: Int32 = 0
  /// The most colons that any verb has within; negative where there are no verbs.
  private var verbColons = -1

  /// Adds a route; false, and the place of the one that has the same method and matches the same paths, where there is
  /// one already.
  mutating func insert(_ template: PathTemplate, method: String, route: Int) -> (isNew: Bool, route: Int) {
    var verb = Self.noVerb
    if let text = template.verb {
      if let known = edges.find(Self.verbs, text.span) {
        verb = known
      } else {
        verb = verbCount
        edges.insert(Self.verbs, text, verb)
        verbCount += 1
        verbColons = max(verbColons, text.count { $0 == 0x3A })
      }
    }
    var node = 0
    var takesRest = false
    for segment in template.segments {
      switch segment {
      case .literal(let bytes):
        if let known = edges.find(Int32(truncatingIfNeeded: node), bytes.span) {
          node = Int(known)
        } else {
          let child = addNode()
          edges.insert(Int32(truncatingIfNeeded: node), bytes, child)
          node = Int(child)
        }
      case .any:
        if nodes[node].any < 0 {
          let child = addNode()
          nodes[node].any = child
        }
        node = Int(nodes[node].any)
      case .rest: takesRest = true
      }
    }
    let leaves = takesRest ? nodes[node].rest : nodes[node].leaves
    if let known = leaves.first(where: { $0.verb == verb && $0.method == method }) { return (false, known.route) }
    let leaf = Leaf(verb: verb, method: method, route: route)
    if takesRest { nodes[node].rest.append(leaf) } else { nodes[node].leaves.append(leaf) }
    return (true, route)
  }

  private mutating func addNode() -> Int32 {
    nodes.append(Node())
    return Int32(truncatingIfNeeded: nodes.count - 1)
  }

  // MARK: - Matching

  private struct Search {
    /// Nil where no route is looked for, but all methods are.
    var method: String?
    /// Where the segments end.
    var end: Int
    var verb: Int32
    var outcome = Outcome()
  }

  /// Finds the route of a path that begins with a slash and whose escapes are well formed.
  ///
  /// A known verb behind the last segment comes first, the longest where there are several: only where no route has it
  /// does the segment stand for itself.
  func find(_ method: String, _ path: Span<UInt8>) -> Outcome {
    var search = Search(method: method, end: path.count, verb: Self.noVerb)
    visitAll(path, &search)
    // Most requests have a route, and nobody asks for the other methods.
    if search.outcome.route == nil {
      search.method = nil
      visitAll(path, &search)
    }
    return search.outcome
  }

  private func visitAll(_ path: Span<UInt8>, _ search: inout Search) {
    if verbColons >= 0 {
      var colons = [Int]()
      var position = path.count - 1
      while position > 0, path[position] != 0x2F, colons.count <= verbColons {
        if path[position] == 0x3A { colons.append(position) }
        position -= 1
      }
      for colon in colons.reversed() {
        guard let verb = edges.find(Self.verbs, path.extracting((colon + 1)...)) else { continue }
        search.end = colon
        search.verb = verb
        if visit(0, path, from: 1, &search) { return }
      }
    }
    search.end = path.count
    search.verb = Self.noVerb
    _ = visit(0, path, from: 1, &search)
  }

  /// Looks at a node with the segment that begins at a position; one behind the end's successor is none. Templates have
  /// few segments, so that the depth has a bound.
  private func visit(_ node: Int, _ path: Span<UInt8>, from start: Int, _ search: inout Search) -> Bool {
    guard start <= search.end else {
      // No segment is left, which `**` can do with.
      return accept(nodes[node].leaves, &search) || accept(nodes[node].rest, &search)
    }
    var end = start
    while end < search.end, path[end] != 0x2F { end += 1 }
    if let child = child(Int32(truncatingIfNeeded: node), path.extracting(start..<end)),
      visit(Int(child), path, from: end + 1, &search)
    {
      return true
    }
    let any = nodes[node].any
    if any >= 0, end > start, visit(Int(any), path, from: end + 1, &search) { return true }
    return accept(nodes[node].rest, &search)
  }

  /// Where a literal leads. An escape in the path stands for what it means.
  private func child(_ node: Int32, _ segment: Span<UInt8>) -> Int32? {
    for place in segment.indices where segment[place] == 0x25 {
      var copy: [UInt8] = []
      for byte in segment.indices { copy.append(segment[byte]) }
      guard let decoded = PercentCoding.decode(copy[...]) else { return nil }
      return edges.find(node, decoded.span)
    }
    return edges.find(node, segment)
  }

  /// Takes the route of the method: its own, that of GET for HEAD, or that of any method.
  private func accept(_ leaves: [Leaf], _ search: inout Search) -> Bool {
    guard let method = search.method else {
      for leaf in leaves where leaf.verb == search.verb && !search.outcome.methods.contains(leaf.method) {
        search.outcome.methods.append(leaf.method)
      }
      return false
    }
    var best = 0
    for leaf in leaves where leaf.verb == search.verb {
      let fit = leaf.method == method ? 3 : method == "HEAD" && leaf.method == "GET" ? 2 : leaf.method == "*" ? 1 : 0
      guard fit > best else { continue }
      best = fit
      search.outcome.route = leaf.route
      search.outcome.end = search.end
    }
    return best > 0
  }
}

/// Where the literals behind nodes lead: one hash table for all, whose cost does not grow with the number of routes.
///
/// Whoever writes the schema chooses what is in it. What a client looks for cannot make it slower.
private struct EdgeTable: Sendable {
  private struct Edge: Sendable {
    let node: Int32
    let child: Int32
    let start: Int
    let count: Int
  }

  private var bytes: [UInt8] = []
  private var edges: [Edge] = []
  /// The places of edges and one, 0 for none; a power of two of them, half of which are free at least.
  private var slots = [Int32](repeating: 0, count: 16)

  func find(_ node: Int32, _ text: Span<UInt8>) -> Int32? {
    var slot = Self.hash(node, text) & (slots.count - 1)
    while slots[slot] != 0 {
      let edge = edges[Int(slots[slot]) - 1]
      if edge.node == node, edge.count == text.count, matches(edge, text) { return edge.child }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private func matches(_ edge: Edge, _ text: Span<UInt8>) -> Bool {
    for place in text.indices where bytes[edge.start + place] != text[place] { return false }
    return true
  }

  /// Adds an edge that is not there.
  mutating func insert(_ node: Int32, _ text: [UInt8], _ child: Int32) {
    edges.append(Edge(node: node, child: child, start: bytes.count, count: text.count))
    bytes += text
    guard edges.count * 2 > slots.count else { return enter(edges.count - 1) }
    slots = [Int32](repeating: 0, count: slots.count * 2)
    for place in edges.indices { enter(place) }
  }

  private mutating func enter(_ place: Int) {
    let edge = edges[place]
    var slot = Self.hash(edge.node, bytes.span.extracting(edge.start..<edge.start + edge.count)) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Int32(truncatingIfNeeded: place + 1)
  }

  /// FNV-1a, whose lower bits are good enough once they are mixed with the upper ones.
  private static func hash(_ node: Int32, _ text: Span<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    hash = (hash ^ UInt64(UInt32(bitPattern: node))) &* 0x100_0000_01B3
    for place in text.indices { hash = (hash ^ UInt64(text[place])) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF)
  }
}
