// SPDX-License-Identifier: Apache-2.0

/// A declaration of a pool. A descriptor is a handle: it keeps the pool alive, is copied at no cost to speak of, and
/// equals another one where both are of the same declaration in the same pool.
public protocol Descriptor: Equatable, Sendable {
  /// The pool.
  var pool: DescriptorPool { get }
  /// The name; a file's is that by which others import it.
  var name: String { get }
  /// The name with those of the package and the messages around it, without a dot in front; a file's is its name.
  var fullName: String { get }
  /// The file that declares it; a file's is itself.
  var file: FileDescriptor { get }
  /// What holds for it by its file's syntax or edition, its surroundings and its own options.
  var features: Features { get }
  /// Its own options.
  var options: DescriptorOptions { get }
  /// Whether its options say that it is not to be used any more.
  var isDeprecated: Bool { get }
  /// Its place in its file, as `google.protobuf.SourceCodeInfo.Location` has it; a file's is empty.
  var path: [Int32] { get }
}

/// A declaration that stands in a file.
protocol DeclaredDescriptor: Descriptor {
  var common: CommonLayout { get }
}

extension DeclaredDescriptor {
  /// The name.
  public var name: String { common.name }
  /// The name with those of the package and the messages around it, without a dot in front.
  public var fullName: String { common.fullName }
  /// The file that declares it.
  public var file: FileDescriptor { FileDescriptor(pool, common.place.file) }
  /// What holds for it by its file's syntax or edition, its surroundings and its own options.
  public var features: Features { common.features }
  /// Its own options.
  public var options: DescriptorOptions { common.options }
  /// Whether its options say that it is not to be used any more.
  public var isDeprecated: Bool { common.isDeprecated }

  /// The path of a declaration whose kind has one number in files and another in messages.
  func path(inFile: Int32, inMessage: Int32) -> [Int32] {
    let position = Int32(truncatingIfNeeded: common.place.position)
    guard common.place.parent >= 0 else { return [inFile, position] }
    return MessageDescriptor(pool, common.place.parent).path + [inMessage, position]
  }
}

extension DescriptorPool {
  /// Whether two descriptors' pools are one.
  static func same<Key: Equatable>(_ left: (DescriptorPool, Key), _ right: (DescriptorPool, Key)) -> Bool {
    left.0 === right.0 && left.1 == right.1
  }
}
