// SPDX-License-Identifier: Apache-2.0

extension Array {
  /// The elements of two families in turn, beginning with the family of the first: addresses in the order in which they
  /// are to be tried (RFC 8305 section 4). What is left of the larger family comes last.
  ///
  /// - Parameter isFirst: whether an element is of one of the families, whichever that is.
  public func interleaved(_ isFirst: (Element) -> Bool) -> [Element] {
    guard let first else { return [] }
    let leading = isFirst(first)
    var others = filter { isFirst($0) != leading }[...]
    var result: [Element] = []
    for element in self where isFirst(element) == leading {
      result.append(element)
      if let other = others.popFirst() { result.append(other) }
    }
    return result + others
  }
}
