// SPDX-License-Identifier: Apache-2.0

/// The header section that is being received, within its limits.
struct HeaderBlock {
  private(set) var stream: StreamID = 0

  /// The size up to now as SETTINGS_MAX_HEADER_LIST_SIZE counts it, dropped fields included.
  private(set) var size = 0

  private var fields: HeaderFields = []
  private var isOversized = false
  private var memory = FieldMemory()

  mutating func begin(_ id: StreamID) {
    stream = id
    size = 0
    fields = []
    isOversized = false
  }

  /// Adds a field, or drops everything once the section is too large.
  mutating func append(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, isSensitive: Bool, limits: HTTP2Limits
  ) {
    size += name.count + value.count + HeaderField.overhead
    if isOversized { return }
    guard size <= limits.maxHeaderListSize, fields.count < limits.maxHeaderFields else {
      isOversized = true
      fields = []
      return
    }
    if fields.isEmpty { fields.reserveCapacity(HeaderBlock.usualCount) }
    fields.append(unsafe memory.field(at: fields.count, name, value, isSensitive: isSensitive))
  }

  /// Hands the section over.
  mutating func take() -> (fields: HeaderFields, size: Int, isOversized: Bool) {
    var taken: HeaderFields = []
    swap(&taken, &fields)
    stream = 0
    return (taken, size, isOversized)
  }

  /// Whether the section's status is 1xx.
  static func isInformational(_ fields: HeaderFields) -> Bool {
    guard let first = fields.first, first.name == ":status" else { return false }
    return first.value.utf8.first == 0x31
  }

  /// A gRPC request has about ten fields.
  private static let usualCount = 10
}
