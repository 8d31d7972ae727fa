// SPDX-License-Identifier: Apache-2.0

/// A file.
public struct FileDescriptor: Descriptor {
  /// The pool.
  public let pool: DescriptorPool
  private let index: Int

  init(_ pool: DescriptorPool, _ index: Int) {
    self.pool = pool
    self.index = index
  }

  var layout: FileLayout { pool.fileLayouts[index] }

  /// The name by which others import it.
  public var name: String { layout.name }
  /// The same.
  public var fullName: String { layout.name }
  /// The file itself.
  public var file: FileDescriptor { self }
  /// What holds in it by its syntax or edition and its options.
  public var features: Features { layout.features }
  /// Its options.
  public var options: DescriptorOptions { layout.options }
  /// Whether its options say that it is not to be used any more.
  public var isDeprecated: Bool { CommonOptions.file.isDeprecated(layout.options) }
  /// Empty: nothing is around it.
  public var path: [Int32] { [] }

  /// The package; empty where there is none.
  public var package: String { layout.package }
  /// The edition, or the syntax as one.
  public var edition: Edition { layout.edition }
  /// The files that it imports.
  public var imports: [FileDescriptor] { layout.imports.map { FileDescriptor(pool, $0) } }
  /// Those of them that whoever imports this file imports too.
  public var publicImports: [FileDescriptor] { layout.publicImports.map { FileDescriptor(pool, $0) } }
  /// Its messages, without those within others.
  public var messages: [MessageDescriptor] { layout.messages.map { MessageDescriptor(pool, $0) } }
  /// Its enums, without those within messages.
  public var enums: [EnumDescriptor] { layout.enums.map { EnumDescriptor(pool, $0) } }
  /// Its services.
  public var services: [ServiceDescriptor] { layout.services.map { ServiceDescriptor(pool, $0) } }
  /// Its extensions, without those within messages.
  public var extensions: [FieldDescriptor] { layout.extensions.map { FieldDescriptor(pool, $0) } }

  /// Decodes the file's comments, each time anew. There are none unless protoc was told `--include_source_info`.
  public func comments() throws(SchemaError) -> SourceComments {
    do throws(DeclarationFault) { return try SourceComments(layout.sourceInfo) } catch {
      throw SchemaError(SchemaError.Code(error), file: name)
    }
  }

  /// Whether both are handles of one declaration.
  public static func == (left: FileDescriptor, right: FileDescriptor) -> Bool {
    DescriptorPool.same((left.pool, left.index), (right.pool, right.index))
  }
}
