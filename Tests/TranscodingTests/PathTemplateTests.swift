// SPDX-License-Identifier: Apache-2.0

import Testing
import Transcoding

@Suite struct PathTemplateTests {
  /// Segments with slashes before them, the verb, and variables with the segments that they take.
  private func described(_ template: PathTemplate) -> String {
    var text = ""
    for segment in template.segments {
      switch segment {
      case .literal(let bytes): text += "/" + String(decoding: bytes, as: UTF8.self)
      case .any: text += "/*"
      case .rest: text += "/**"
      }
    }
    if let verb = template.verb { text += " :" + String(decoding: verb, as: UTF8.self) }
    for variable in template.variables {
      text += " \(variable.fieldPath)=\(variable.segments)" + (variable.isSingle ? "" : "+")
    }
    return text
  }

  @Test(
    "a template is taken apart",
    arguments: [
      ("/", "/"),
      ("/v1/users", "/v1/users"),
      ("/v1/*", "/v1/*"),
      ("/v1/**", "/v1/**"),
      ("/v1/users/{user_id}", "/v1/users/* user_id=2..<3"),
      ("/v1/{user.id=*}", "/v1/* user.id=1..<2"),
      ("/v1/{name=shelves/*/books/*}", "/v1/shelves/*/books/* name=1..<5+"),
      ("/v1/{name=files/**}", "/v1/files/** name=1..<3+"),
      ("/v1/{name=**}:cancel", "/v1/** :cancel name=1..<2+"),
      ("/v1/{a}/{b}", "/v1/*/* a=1..<2 b=2..<3"),
      ("/v1/{a=x}", "/v1/x a=1..<2"),
      ("/v1/users:watch", "/v1/users :watch"),
      ("/v1/a:b:c", "/v1/a:b :c"),
      ("/v1/a:b/c", "/v1/a:b/c"),
      ("/v1/{id}:a:b", "/v1/* :a:b id=1..<2"),
      ("/v1/*:a:b", "/v1/* :a:b"),
      ("/v1/{n=a:b/*}:c", "/v1/a:b/* :c n=1..<3+"),
      ("/a%20b/c%2Fd", "/a b/c/d"),
      ("/~a-b.c_d!$&'()+,;=@", "/~a-b.c_d!$&'()+,;=@"),
    ])
  func parses(text: String, expected: String) throws {
    #expect(described(try PathTemplate(text)) == expected)
  }

  @Test(
    "a text that is no template is refused with its place and cause",
    arguments: [
      ("", "\"\": column 1: a template begins with \"/\""),
      ("v1", "\"v1\": column 1: a template begins with \"/\""),
      ("/v1/", "\"/v1/\": column 5: a segment is empty"),
      ("/v1//a", "\"/v1//a\": column 5: a segment is empty"),
      ("/v1/:a", "\"/v1/:a\": column 5: a segment is empty"),
      ("/v1/a:", "\"/v1/a:\": column 7: the verb is empty"),
      ("/v1/{a", "\"/v1/{a\": column 5: the variable has no \"}\""),
      ("/v1/{a=b", "\"/v1/{a=b\": column 5: the variable has no \"}\""),
      ("/v1/{a=}", "\"/v1/{a=}\": column 8: a segment is empty"),
      ("/v1/a}", "\"/v1/a}\": column 6: a character cannot stand here"),
      ("/v1/{}", "\"/v1/{}\": column 6: names of fields with dots between them must stand here"),
      ("/v1/{a.}", "\"/v1/{a.}\": column 6: names of fields with dots between them must stand here"),
      ("/v1/{1a}", "\"/v1/{1a}\": column 6: names of fields with dots between them must stand here"),
      ("/v1/{a={b}}", "\"/v1/{a={b}}\": column 8: a variable stands within a variable"),
      ("/v1/{a}/{a}", "\"/v1/{a}/{a}\": column 10: the field has a variable already"),
      ("/v1/{a}b", "\"/v1/{a}b\": column 8: a character cannot stand here"),
      ("/v1/a{b}", "\"/v1/a{b}\": column 6: a character cannot stand here"),
      ("/v1/*a", "\"/v1/*a\": column 6: a character cannot stand here"),
      ("/v1/a*", "\"/v1/a*\": column 6: a character cannot stand here"),
      ("/v1/***", "\"/v1/***\": column 7: a character cannot stand here"),
      ("/v1/**/a", "\"/v1/**/a\": column 8: \"**\" must be the last segment"),
      ("/v1/{a=**}/b", "\"/v1/{a=**}/b\": column 12: \"**\" must be the last segment"),
      ("/v1/a?b", "\"/v1/a?b\": column 6: a character cannot stand here"),
      ("/v1/a b", "\"/v1/a b\": column 6: a character cannot stand here"),
      ("/v1/ä", "\"/v1/ä\": column 5: a character cannot stand here"),
      ("/v1/%2", "\"/v1/%2\": column 5: \"%\" stands before two hexadecimal digits alone"),
      ("/v1/%zz", "\"/v1/%zz\": column 5: \"%\" stands before two hexadecimal digits alone"),
      ("/a\u{0A}", "\"/a\\n\": column 3: a character cannot stand here"),
    ])
  func refuses(text: String, expected: String) {
    #expect(throws: PathTemplateError.self) { try PathTemplate(text) }
    do throws(PathTemplateError) { _ = try PathTemplate(text) } catch { #expect(error.message == expected) }
  }

  @Test("the length and the number of segments have a bound")
  func bounds() throws {
    let longest = String(repeating: "/a", count: PathTemplate.segmentLimit)
    #expect(try PathTemplate(longest).segments.count == PathTemplate.segmentLimit)
    for (text, code) in [
      (longest + "/a", PathTemplateError.Code.tooManySegments),
      ("/" + String(repeating: "a", count: PathTemplate.lengthLimit), .tooLong),
    ] {
      do throws(PathTemplateError) {
        _ = try PathTemplate(text)
        Issue.record("\(text.utf8.count) bytes are taken")
      } catch { #expect(error.code == code) }
    }
  }
}
