// SPDX-License-Identifier: Apache-2.0

/// The comments of a file, found by the declarations that they belong to.
public struct SourceComments: Sendable {
  /// The comments of one declaration, each without the marks that make it one.
  public struct Comment: Equatable, Sendable {
    /// The comment in front of it.
    public internal(set) var leading = ""
    /// The comment behind it.
    public internal(set) var trailing = ""
    /// Comments further in front, with empty lines between.
    public internal(set) var detached: [String] = []
  }

  private let comments: [[Int32]: Comment]

  /// Decodes a `SourceCodeInfo`. Of two locations with one path the first with a comment counts.
  init(_ bytes: ArraySlice<UInt8>) throws(DeclarationFault) {
    var comments: [[Int32]: Comment] = [:]
    var reader = DeclarationReader(bytes)
    while let field = try reader.next() {
      guard field.number == 1, case .bytes(let content) = field.value else { continue }
      let (path, comment) = try Self.location(content)
      if comment != Comment(), comments[path] == nil { comments[path] = comment }
    }
    self.comments = comments
  }

  /// The comments of a declaration of the file.
  public subscript(declaration: some Descriptor) -> Comment? { comments[declaration.path] }

  /// The comments of a path, for what has no descriptor: the line of the package is `[2]`.
  public subscript(path path: [Int32]) -> Comment? { comments[path] }

  private static func location(_ bytes: ArraySlice<UInt8>) throws(DeclarationFault) -> ([Int32], Comment) {
    var path: [Int32] = []
    var comment = Comment()
    var reader = DeclarationReader(bytes)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .varint): path.append(field.value.int32 ?? 0)
      case (1, .bytes(let content)):
        var packed = WireReader(content)
        do throws(WireError) {
          for value in try packed.packedVarints() { path.append(Int32(truncatingIfNeeded: value)) }
        } catch { throw .malformed(WireError(error.code, at: content.startIndex + error.offset)) }
      case (3, let value): comment.leading = try DeclarationReader.text(value, comment.leading)
      case (4, let value): comment.trailing = try DeclarationReader.text(value, comment.trailing)
      case (6, .bytes): comment.detached.append(try DeclarationReader.text(field.value, ""))
      default: break
      }
    }
    return (path, comment)
  }
}
