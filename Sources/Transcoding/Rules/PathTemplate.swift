// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A template of paths, as google/api/http.proto has it:
///
///     Template = "/" Segments [ Verb ]            /v1/{name=shelves/*/books/**}:archive
///     Segments = Segment { "/" Segment }
///     Segment  = "*" | "**" | LITERAL | Variable
///     Variable = "{" FieldPath [ "=" Segments ] "}"
///     Verb     = ":" LITERAL
///
/// `*` is one segment that is not empty; `**` is all that is left, and comes last. `{v}` is `{v=*}`. A literal consists
/// of what a path may have (RFC 3986 section 3.3) without `*`; it means what it is when `%XX` is decoded. The verb
/// begins at the last colon of the template, behind a variable or a wildcard at the first one. `/` alone is a template,
/// too.
public struct PathTemplate: Equatable, Sendable {
  /// How many bytes a template has at most.
  public static let lengthLimit = 4_096
  /// How many segments a template has at most: matching goes as deep.
  public static let segmentLimit = 64

  /// A part of a path between slashes, or all its last parts.
  public enum Segment: Equatable, Sendable {
    /// These bytes, decoded.
    case literal([UInt8])
    /// `*`
    case any
    /// `**`
    case rest
  }

  /// A variable: a field that gets its value from the path.
  public struct Variable: Equatable, Sendable {
    /// The names of fields with dots between them.
    public let fieldPath: String
    /// The segments that it takes.
    public let segments: Range<Int>
    /// Whether it takes one segment alone, in which every escape is decoded; else `%2F` stays as it is.
    public let isSingle: Bool
    /// The column of the field path, from 1.
    public let column: Int
  }

  /// The text.
  public let text: String
  /// The segments; one at least.
  public let segments: [Segment]
  /// The variables, in the order of the text.
  public let variables: [Variable]
  /// What stands behind the colon, decoded; nil where there is none.
  public let verb: [UInt8]?

  /// Reads a template.
  public init(_ text: String) throws(PathTemplateError) {
    guard text.utf8.count <= Self.lengthLimit else { throw PathTemplateError(text, Self.lengthLimit + 1, .tooLong) }
    var parser = Parser(Array(text.utf8), text)
    try parser.template()
    self.text = text
    segments = parser.segments
    variables = parser.variables
    verb = parser.verb
  }
}

/// Why a text is no template of paths.
public struct PathTemplateError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Equatable, Sendable {
    /// It does not begin with a slash.
    case noSlash
    /// A segment is empty.
    case emptySegment
    /// A verb is empty.
    case emptyVerb
    /// A character that cannot stand there, escaped where it is none that can be shown.
    case unexpectedCharacter
    /// A `%` without two hexadecimal digits behind it.
    case malformedEscape
    /// A variable within a variable.
    case nestedVariable
    /// A `{` without its `}`.
    case unclosedVariable
    /// A field path that is no names with dots between them.
    case malformedFieldPath
    /// A field path that another variable has already.
    case duplicateVariable
    /// Something stands behind `**`.
    case restNotLast
    /// More segments than ``PathTemplate/segmentLimit``.
    case tooManySegments
    /// More bytes than ``PathTemplate/lengthLimit``.
    case tooLong
  }

  /// The template.
  public let template: String
  /// Where it was found, in bytes from 1.
  public let column: Int
  /// What was wrong.
  public let code: Code

  init(_ template: String, _ column: Int, _ code: Code) {
    self.template = template
    self.column = column
    self.code = code
  }

  /// One line in words: `"/v1/{a": column 5: the variable has no "}"`.
  public var message: String {
    template.shortened(toUTF8Count: 200).quoted + ": column " + String(column) + ": " + reason
  }

  private var reason: String {
    switch code {
    case .noSlash: "a template begins with \"/\""
    case .emptySegment: "a segment is empty"
    case .emptyVerb: "the verb is empty"
    case .unexpectedCharacter: "a character cannot stand here"
    case .malformedEscape: "\"%\" stands before two hexadecimal digits alone"
    case .nestedVariable: "a variable stands within a variable"
    case .unclosedVariable: "the variable has no \"}\""
    case .malformedFieldPath: "names of fields with dots between them must stand here"
    case .duplicateVariable: "the field has a variable already"
    case .restNotLast: "\"**\" must be the last segment"
    case .tooManySegments: "there are more than " + String(PathTemplate.segmentLimit) + " segments"
    case .tooLong: "the template is longer than " + String(PathTemplate.lengthLimit) + " bytes"
    }
  }
}
