// SPDX-License-Identifier: Apache-2.0

/// What interceptors of either end leave with a call for those after them, by the types of their keys. There are few:
/// they are searched one after another.
package struct KeyedValues: Sendable {
  private var values: [(key: ObjectIdentifier, value: any Sendable)] = []

  package init() {}

  /// The value under a key's type; nil where there is none.
  package subscript<Value: Sendable>(key: Any.Type, as type: Value.Type) -> Value? {
    get {
      for (other, value) in values where other == ObjectIdentifier(key) { return value as? Value }
      return nil
    }
    set {
      values.removeAll { $0.key == ObjectIdentifier(key) }
      if let newValue { values.append((ObjectIdentifier(key), newValue)) }
    }
  }
}
