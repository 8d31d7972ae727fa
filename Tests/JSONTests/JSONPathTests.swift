// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

@Suite struct JSONPathTests {
  @Test(
    "the way to each token of a document is told",
    arguments: [
      (0, "$"), (1, "$.a"), (5, "$.a"), (6, "$.a[0]"), (11, "$.a[1]"), (12, #"$.a[1]["b c"]"#),
      (18, #"$.a[1]["b c"]"#), (19, "$.a[1]"), (20, "$.a"), (22, "$.d"), (26, "$.d"), (27, "$"), (29, "$"),
    ])
  func tokens(offset: Int, path: String) {
    let document = Array(#"{"a":[true,{"b c":2}],"d":3} "#.utf8)
    #expect(JSONPath.path(to: offset, in: document[...]) == path)
  }

  @Test("where a document is wrong, the way goes as far as it is right, and names are told in part where they are long")
  func wrong() {
    #expect(JSONPath.path(to: 8, in: Array(#"[1,{"x":"#.utf8)[...]) == "$[1].x")
    #expect(JSONPath.path(to: 10, in: Array(#"[1,{"x":2,"#.utf8)[...]) == "$[1]")
    #expect(JSONPath.path(to: 0, in: []) == "$")
    let name = String(repeating: "é", count: 1_000)
    #expect(
      JSONPath.path(to: 1, in: Array("{\"\(name)\":1}".utf8)[...]) == "$[\"\(String(repeating: "é", count: 40))\"]")
    #expect(JSONPath.path(to: 1, in: Array(#"{"\n":1}"#.utf8)[...]) == #"$["\n"]"#)
  }
}
