// SPDX-License-Identifier: Apache-2.0

extension DynamicMessage {
  /// The full names of the types that an `Any` within the message has and the pool has not: each once, and so many at
  /// most. In JSON such an `Any` has nothing but bytes.
  public func missingTypes(limit: Int) -> [String] {
    var finder = MissingTypeFinder(pool: type.pool, limit: limit)
    finder.look(through: storage, type.layout, depth: 0)
    return finder.names
  }
}

private struct MissingTypeFinder {
  let pool: DescriptorPool
  let limit: Int
  private(set) var names: [String] = []

  init(pool: DescriptorPool, limit: Int) { (self.pool, self.limit) = (pool, limit) }

  mutating func look(through content: MessageStorage, _ layout: MessageLayout, depth: Int) {
    guard depth <= WireReader.defaultDepthLimit, names.count < limit else { return }
    if WellKnownType(layout) == .any { return look(throughAny: content, layout, depth: depth) }
    for entry in content.entries {
      guard let type = layout.slot(Int(entry.index)).message else { continue }
      switch entry.value {
      case .message(let inner): look(through: inner, type, depth: depth + 1)
      case .messages(let list): for inner in list { look(through: inner, type, depth: depth + 1) }
      case .map(let map):
        guard let value = type.slot(1).message else { continue }
        for entry in map.entries {
          if case .message(let inner) = entry.value { look(through: inner, value, depth: depth + 1) }
        }
      default: break
      }
    }
  }

  private mutating func look(throughAny content: MessageStorage, _ layout: MessageLayout, depth: Int) {
    guard let slot = layout.slot(numbered: 1, .string, isRepeated: false),
      case .bytes(let url)? = content.value(at: slot.index), let slash = url.lastIndex(of: 0x2F)
    else { return }
    let name = String(decoding: url[(slash + 1)...], as: UTF8.self)
    guard let type = pool.message(named: name)?.layout else {
      if !names.contains(name) { names.append(name) }
      return
    }
    guard let slot = layout.slot(numbered: 2, .bytes, isRepeated: false),
      case .bytes(let bytes)? = content.value(at: slot.index)
    else { return }
    var limits = MessageLimits()
    limits.bytes = .max
    limits.depth = max(limits.depth - depth, 0)
    guard let inner = try? MessageDecoder.decode(bytes, type, limits) else { return }
    look(through: inner, type, depth: depth + 1)
  }
}
