// SPDX-License-Identifier: Apache-2.0

import Protobuf
import TestSupport
import Testing
import Transcoding

@Suite struct RequestTests {
  private static let table = Shop.table([
    ("Get", HTTPRule("GET", "/v1/items/{name}")), ("Get", HTTPRule("GET", "/v1/{name=shelves/*/**}")),
    ("Get", HTTPRule("GET", "/v1/counts/{count}")), ("Get", HTTPRule("GET", "/v1/sized/{item.small_size}")),
    ("Get", HTTPRule("GET", "/v1/at/{item.made_at}/{item.color}")), ("Get", HTTPRule("POST", "/v1/all", body: "*")),
    ("Get", HTTPRule("POST", "/v1/items/{item.name}", body: "item")),
    ("Get", HTTPRule("POST", "/v1/whole/{item.name}/{count}", body: "*")),
    ("Get", HTTPRule("POST", "/v1/many", body: "items")), ("Get", HTTPRule("POST", "/v1/count", body: "count")),
    ("Get", HTTPRule("DELETE", "/v1/items/{name}")), ("Get", HTTPRule("PATCH", "/v1/items/{item.name}", body: "item")),
    ("Get", HTTPRule("PATCH", "/v1/all", body: "*")), ("Get", HTTPRule("PUT", "/v1/items/{item.name}", body: "item")),
    ("Upload", HTTPRule("POST", "/v1/upload", body: "*")), ("Get", HTTPRule("POST", "/v1/file/{name}", body: "upload")),
    ("Echo", HTTPRule("GET", "/v1/echo")), ("Send", HTTPRule("POST", "/v1/send/{name}", body: "item")),
    ("Talk", HTTPRule("GET", "/v1/talk/{name}")),
  ])

  private func request(
    _ method: String, _ target: String, _ body: String = "", _ change: (inout RequestOptions) -> Void = { _ in }
  ) -> String {
    #expect(Self.table.problems == [])
    return Shop.request(Self.table, method, target, body: body, contentType: "text/plain", change)
  }

  @Test(
    "variables of the path are decoded by what they take",
    arguments: [
      ("/v1/items/abc", #"{"name":"abc"}"#),
      // One segment: every escape. Several: all but that of the slash. A plus is a plus.
      ("/v1/items/a%2Fb%20c+d%C3%A4", #"{"name":"a/b c+dä"}"#),
      ("/v1/shelves/a%2Fb%20c/d%2f/e", #"{"name":"shelves/a%2Fb c/d%2f/e"}"#),
      ("/v1/shelves/a", #"{"name":"shelves/a"}"#),
      ("/v1/shelves/a/", #"{"name":"shelves/a/"}"#),
      ("/v1/shelves/a//b", #"{"name":"shelves/a//b"}"#),
      ("/v1/counts/-12", #"{"count":-12}"#),
      ("/v1/counts/1e3", #"{"count":1000}"#),
      ("/v1/counts/0", "{}"),
      ("/v1/at/2024-02-29T12:00:00Z/RED", #"{"item":{"color":"RED","made_at":"2024-02-29T12:00:00Z"}}"#),
      ("/v1/at/2024-02-29T12:00:00.5%2B01:00/-2", #"{"item":{"color":"BLUE","made_at":"2024-02-29T11:00:00.500Z"}}"#),
      ("/v1/counts/x", "400 count: the string is not a number"),
      ("/v1/counts/1.5", "400 count: the number is out of range or not whole"),
      ("/v1/counts/2147483648", "400 count: the number is out of range or not whole"),
      ("/v1/items/%FF", "400 name: the string is not UTF-8, as JSON must be"),
      ("/v1/at/now/RED", "400 item.made_at: the string is not a timestamp"),
      ("/v1/at/2024-02-29T12:00:00Z/PINK", "400 item.color: shop.v1.Color has no such value"),
    ])
  func path(target: String, expected: String) {
    #expect(request("GET", target) == expected)
  }

  @Test(
    "parameters set fields of every kind, by both names",
    arguments: [
      (
        "f_int32=1&fInt64=-2&f_uint32=3&f_uint64=18446744073709551615&f_sint32=-5&f_sint64=6&f_fixed32=7&f_fixed64=8"
          + "&f_sfixed32=-9&f_sfixed64=-10",
        #"{"f_int32":1,"f_int64":"-2","f_uint32":3,"f_uint64":"18446744073709551615","f_sint32":-5,"f_sint64":"6","#
          + #""f_fixed32":7,"f_fixed64":"8","f_sfixed32":-9,"f_sfixed64":"-10"}"#
      ),
      (
        "f_double=1.5e-3&f_float=-Infinity&r_double=NaN&r_double=2",
        #"{"f_double":0.0015,"f_float":"-Infinity","r_double":["NaN",2]}"#
      ),
      (
        "r_bool=true&r_bool=True&r_bool=TRUE&r_bool=t&r_bool=T&r_bool=1&r_bool=false&r_bool=False&r_bool=FALSE&r_bool=f"
          + "&r_bool=F&r_bool=0", #"{"r_bool":[true,true,true,true,true,true,false,false,false,false,false,false]}"#
      ),
      (
        "f_string=a+b%2Bc%26d%3De%25&r_string=&r_string=x=y",
        #"{"f_string":"a b+c&d=e%","r_string":["","x=y"]}"#
      ),
      // Base64 in its four forms; a plus that became a space is one again.
      (
        "r_bytes=-_-_Kg&r_bytes=-_-_Kg==&r_bytes=%2B/%2B/Kg&r_bytes=%2B/%2B/Kg%3D%3D&r_bytes=+/+/Kg",
        #"{"r_bytes":["+/+/Kg==","+/+/Kg==","+/+/Kg==","+/+/Kg==","+/+/Kg=="]}"#
      ),
      ("f_color=RED&r_color=BLUE&r_color=1&r_color=77", #"{"f_color":"RED","r_color":["BLUE","RED",77]}"#),
      (
        "m_string[a]=1&m_string[b.c]=2&m_string%5Bd%5D=3&m_int32[-1]=x&m_bool[true]=RED",
        #"{"m_string":{"a":"1","b.c":"2","d":"3"},"m_int32":{"-1":"x"},"m_bool":{"true":"RED"}}"#
      ),
      ("m_string[a[0]]=1&m_string[]=2", #"{"m_string":{"":"2","a[0]":"1"}}"#),
      (
        "timestamp=2024-01-01T00:00:00Z&duration=1.5s&mask=a.bC,d&timestamps=2024-01-01T00:00:00Z",
        #"{"timestamp":"2024-01-01T00:00:00Z","duration":"1.500s","mask":"a.bC,d","#
          + #""timestamps":["2024-01-01T00:00:00Z"]}"#
      ),
      (
        "struct=%7B%22a%22:[1]%7D&value=%22x%22&list=[1,null]",
        #"{"struct":{"a":[1]},"value":"x","list":[1,null]}"#
      ),
      (
        "int64_value=5&stringValue=&bool_value=false&bytes_value=AA",
        #"{"int64_value":"5","string_value":"","bool_value":false,"bytes_value":"AA=="}"#
      ),
      (
        "nested.nested.fString=deep&nested.f_int32=1&nested.m_string[k]=2",
        #"{"nested":{"f_int32":1,"m_string":{"k":"2"},"nested":{"f_string":"deep"}}}"#
      ),
      ("maybe=0", #"{"maybe":0}"#),
      ("&&f_int32=1&", #"{"f_int32":1}"#),
      ("nope=1&nested.nope=2&others.f_int32=3&f_int32.x=4&timestamp.seconds=5&[a]=6&=7&nested.=8&.f_int32=9", "{}"),
    ])
  func query(query: String, expected: String) {
    #expect(request("GET", "/v1/echo?" + query) == expected)
  }

  @Test(
    "a parameter that its field cannot have is refused, and named",
    arguments: [
      ("f_int32=", "400 f_int32: the string is not a number"),
      ("f_int32=%201", "400 f_int32: the string is not a number"),
      ("f_int32=+1", "400 f_int32: the string is not a number"),
      ("f_int32=01", "400 f_int32: the string is not a number"),
      ("fUint32=-1", "400 f_uint32: the number is out of range or not whole"),
      ("f_float=1e39", "400 f_float: the number is out of range or not whole"),
      ("f_bool=yes", "400 f_bool: the string is not true or false"),
      ("f_bool", "400 f_bool: the string is not true or false"),
      ("f_color=red", "400 f_color: shop.v1.Color has no such value"),
      ("f_bytes=a", "400 f_bytes: the string is not base64"),
      ("f_string=%ff", "400 f_string: the string is not UTF-8, as JSON must be"),
      ("f_int32=1&fInt32=1", "400 f_int32: the parameter stands twice, and the field has one value"),
      ("f_int32=0&f_int32=0", "400 f_int32: the parameter stands twice, and the field has one value"),
      ("m_string[a]=1&m_string[a]=2", "400 m_string: a key stands twice in a map"),
      ("m_int32[1]=a&m_int32[1.0]=b", "400 m_int32: a key stands twice in a map"),
      ("m_int32[x]=a", "400 m_int32: the string is not a number"),
      ("m_string=a", "400 m_string: the key of an entry, in brackets, must stand here"),
      ("f_int32[a]=1", "400 f_int32: a name without a key in brackets must stand here"),
      ("nested=1", "400 nested: a field within shop.v1.Everything must stand here"),
      ("others=1", "400 others: a field within shop.v1.Everything must stand here"),
      ("any=1", "400 any: a field within google.protobuf.Any must stand here"),
      ("struct=[]", "400 struct: an object must stand here"),
      ("value=x", "400 value: line 1, column 1: a character is out of place"),
      ("value=1+2", "400 value: line 1, column 3: a character is out of place"),
      ("duration=1h", "400 duration: the string is not a duration"),
      ("mask=a_b", "400 mask: the string is not a field mask"),
      ("f_string=%zz", "400 the parameter \"f_string\" has a \"%\" without two hexadecimal digits behind it"),
      ("a%0ab%=1", "400 the parameter \"a%0ab%\" has a \"%\" without two hexadecimal digits behind it"),
    ])
  func badQuery(query: String, expected: String) {
    #expect(request("GET", "/v1/echo?" + query) == expected)
  }

  @Test("a verb is no part of the last variable")
  func verbs() {
    let table = Shop.table(
      HTTPRule("POST", "/v1/{name}:stop"), HTTPRule("POST", "/v1/{name}/{page_token=a/**}:go:on"),
      HTTPRule("POST", "/{name=**}:go"))
    #expect(Shop.request(table, "POST", "/v1/5:stop") == #"{"name":"5"}"#)
    #expect(Shop.request(table, "POST", "/v1/5:go:stop") == #"{"name":"5:go"}"#)
    #expect(Shop.request(table, "POST", "/v1/5%3Astop:stop") == #"{"name":"5:stop"}"#)
    #expect(Shop.request(table, "POST", "/v1/x/a/b/c:go:on") == #"{"name":"x","page_token":"a/b/c"}"#)
    #expect(Shop.request(table, "POST", "/v1/x/a:go:on") == #"{"name":"x","page_token":"a"}"#)
    #expect(Shop.request(table, "POST", "/v1/x/a:go") == #"{"name":"v1/x/a"}"#)
    #expect(Shop.request(table, "POST", "/x/:go") == #"{"name":"x/"}"#)
  }

  @Test("fields of a oneof exclude each other, wherever they come from")
  func oneofs() {
    let refused = "another field of the oneof size stands in the same object"
    #expect(request("GET", "/v1/items/a?item.small_size=1&item.large_size=x") == "400 item.large_size: " + refused)
    #expect(request("GET", "/v1/items/a?item.box.name=b&item.small_size=1") == "400 item.small_size: " + refused)
    #expect(request("GET", "/v1/items/a?item.small_size=1&item.box.name=b") == "400 item.box.name: " + refused)
    #expect(request("GET", "/v1/sized/1?item.large_size=x") == "400 item.large_size: " + refused)
    #expect(
      request("GET", "/v1/items/a?item.box.name=b&item.box.price=1")
        == #"{"name":"a","item":{"box":{"name":"b","price":"1"}}}"#)
  }

  @Test("body, path and query have their parts, and the path overrides the body")
  func sources() {
    // The whole.
    #expect(request("POST", "/v1/all", #"{"name":"a","item":{"price":1}}"#) == #"{"name":"a","item":{"price":"1"}}"#)
    #expect(request("POST", "/v1/all?name=b", #"{"count":1}"#) == #"{"count":1}"#)
    #expect(
      request("POST", "/v1/whole/x/0", #"{"item":{"name":"y","price":1},"count":5}"#)
        == #"{"item":{"name":"x","price":"1"}}"#)
    // One field.
    #expect(
      request("POST", "/v1/items/x?count=3&item.price=9&item.nope=1&item=1", #"{"name":"y","price":"1"}"#)
        == #"{"item":{"name":"x","price":"1"},"count":3}"#)
    #expect(request("POST", "/v1/many?count=1", #"[{"name":"a"},{}]"#) == #"{"count":1,"items":[{"name":"a"},{}]}"#)
    #expect(request("POST", "/v1/count", "5") == #"{"count":5}"#)
    #expect(request("POST", "/v1/count", "null") == "{}")
    // What the path has, no parameter says.
    #expect(request("GET", "/v1/items/x?name=y&count=1") == #"{"name":"x","count":1}"#)
    #expect(request("GET", "/v1/counts/0?count=1") == "{}")
    // Nothing is a body as well.
    #expect(request("POST", "/v1/all") == "{}")
    #expect(request("POST", "/v1/all", " \r\n\t") == "{}")
    #expect(request("POST", "/v1/items/x", "") == #"{"item":{"name":"x"}}"#)
  }

  @Test(
    "a body that is not the field's is refused, with the way to the fault",
    arguments: [
      ("/v1/all", "{} {}", "400 line 1, column 4: a character is out of place"),
      ("/v1/all", "{}x", "400 line 1, column 3: a character is out of place"),
      ("/v1/all", #"{"name":"#, "400 name: line 1, column 9: the document ends too early"),
      ("/v1/all", "[]", "400 an object must stand here"),
      ("/v1/all", "null", "400 an object must stand here"),
      ("/v1/all", #"{"items":[{},{"price":"x"}]}"#, "400 items[1].price: the string is not a number"),
      ("/v1/all", #"{"name":"a","name":"b"}"#, "400 name: the field stands twice in one object"),
      ("/v1/items/x", #"{"part":{"price":1.5}}"#, "400 item.part.price: the number is out of range or not whole"),
      ("/v1/items/x", "5", "400 item: an object must stand here"),
      ("/v1/many", #"[{"name":1}]"#, "400 items[0].name: a string must stand here"),
    ])
  func badBody(target: String, body: String, expected: String) {
    #expect(request("POST", target, body) == expected)
  }

  @Test("a route without a body takes none that says anything")
  func strayBody() {
    for body in ["", " \n", "{}", " { } "] { #expect(request("DELETE", "/v1/items/x", body) == #"{"name":"x"}"#) }
    for body in ["{}{}", "x", "[]", #"{"force":true}"#, "0", "{", "}"] {
      #expect(request("DELETE", "/v1/items/x", body) == "400 the route DELETE /v1/items/{name} takes no body")
    }
    #expect(request("DELETE", "/v1/items/x", "anything") { $0.ignoresStrayBody = true } == #"{"name":"x"}"#)
  }

  @Test("what names no field is passed over, or refused where that is asked for")
  func strict() {
    #expect(request("POST", "/v1/all", #"{"nope":1,"name":"a"}"#) == #"{"name":"a"}"#)
    func strict(_ method: String, _ target: String, _ body: String = "") -> String {
      request(method, target, body) { $0.isStrict = true }
    }
    #expect(strict("POST", "/v1/all", #"{"nope":1}"#) == "400 nope: shop.v1.Request has no such field")
    let refused = " names no field that a query can set"
    #expect(strict("GET", "/v1/items/x?nope=1") == "400 the parameter \"nope\"" + refused)
    #expect(strict("GET", "/v1/items/x?no%0Ape[a]=1") == "400 the parameter \"no\\npe[a]\"" + refused)
    #expect(strict("GET", "/v1/items/x?items.name=1") == "400 the parameter \"items.name\"" + refused)
    #expect(strict("POST", "/v1/all?count=1") == "400 the parameter \"count\"" + refused)
    #expect(strict("GET", "/v1/items/x?count=1&name=y") == #"{"name":"x","count":1}"#)
    #expect(strict("POST", "/v1/items/x?item.price=1") == #"{"item":{"name":"x"}}"#)
  }

  @Test("bodies and queries have a bound")
  func limits() {
    #expect(
      request("POST", "/v1/all", #"{"name":"abcdef"}"#) { $0.limits.bytes = 10 }
        == "413 the body is larger than 10 bytes")
    #expect(
      request("POST", "/v1/all", #"{"items":[{},{},{}]}"#) { $0.limits.elements = 2 }
        == "413 items[2]: there are too many values")
    #expect(request("GET", "/v1/echo?a=1&b=1&c=1") { $0.parameterLimit = 3 } == "{}")
    #expect(
      request("GET", "/v1/echo?a=1&b=1&c=1&d=1") { $0.parameterLimit = 3 } == "400 the query has too many parameters")
    let deep = String(repeating: "nested.", count: 31) + "f_int32=1"
    #expect(request("GET", "/v1/echo?" + deep).hasPrefix(#"{"nested":"#))
    #expect(request("GET", "/v1/echo?nested." + deep) == "{}")
    let document = String(repeating: #"{"part":"#, count: 101) + "{}" + String(repeating: "}", count: 101)
    #expect(request("POST", "/v1/items/x", document).hasSuffix("messages nest too deep"))
  }

  @Test(
    "the mask of a PATCH is what stands in its body",
    arguments: [
      (#"{"price":1,"tags":[]}"#, "price,tags"),
      (#"{"price":null,"madeAt":null,"part":null}"#, "price,madeAt,part"),
      (#"{"part":{"name":"a","part":{"price":2}},"color":"RED"}"#, "part.name,part.part.price,color"),
      (#"{"part":{}}"#, "part"),
      (#"{"part":{"part":{}}}"#, "part.part"),
      (#"{"labels":{"a":"b"},"extra":{"x":{"y":1}},"made_at":"2024-01-01T00:00:00Z"}"#, "labels,extra,madeAt"),
      (#"{"tags":["a",{"b":1}]}"#, "400 item.tags[1]: a string must stand here"),
      // The path says which, the body what.
      (#"{"name":"other","price":1}"#, "price"),
      (#"{"part":{"name":"n"}}"#, "part.name"),
      (#"{"name":"other"}"#, "none"), ("{}", "none"), ("", "none"), ("null", "none"),
      (#"{"price":1,"nope":2}"#, "400 item.nope: shop.v1.Item has no such field"),
      (#"{"part":{"nope":2}}"#, "400 item.part.nope: shop.v1.Item has no such field"),
    ])
  func mask(body: String, expected: String) {
    let made = request("PATCH", "/v1/items/x", body)
    if expected.hasPrefix("400") {
      #expect(made == expected)
    } else if expected == "none" {
      #expect(!made.contains("update_mask") && made.hasPrefix("{"))
    } else {
      #expect(made.contains("\"update_mask\":\"\(expected)\""), "\(made)")
    }
  }

  @Test("a mask that is given stays, and only a PATCH of a field makes one")
  func noMask() {
    #expect(
      request("PATCH", "/v1/items/x?update_mask=color", #"{"price":1}"#)
        == #"{"item":{"name":"x","price":"1"},"update_mask":"color"}"#)
    #expect(request("PUT", "/v1/items/x", #"{"price":1}"#) == #"{"item":{"name":"x","price":"1"}}"#)
    #expect(request("PATCH", "/v1/all", #"{"item":{"price":1}}"#) == #"{"item":{"price":"1"}}"#)
  }

  @Test("bytes of any type go into an HttpBody as they are")
  func rawBodies() {
    #expect(request("POST", "/v1/upload", "a{b") == #"{"content_type":"text/plain","data":"YXti"}"#)
    #expect(
      request("POST", "/v1/file/f?count=1&upload.data=x", "[")
        == #"{"name":"f","count":1,"upload":{"content_type":"text/plain","data":"Ww=="}}"#)
    #expect(request("POST", "/v1/upload", "") == #"{"content_type":"text/plain"}"#)
  }

  @Test("the first message of a stream has what the path and the query say, the others what the body says")
  func streams() throws {
    let match = try Shop.match(Self.table, "POST", "/v1/send/n")
    let request = RequestTranscoder(match, query: bytes("count=1"))
    var (first, second): ([UInt8], [UInt8]) = ([], [])
    try request.encode(body: bytes(#"{"price":1}"#), into: &first)
    try request.encode(followingBody: bytes(#"{"price":2}"#), into: &second)
    #expect(Shop.json(first, match.route.method.input) == #"{"name":"n","item":{"price":"1"},"count":1}"#)
    #expect(Shop.json(second, match.route.method.input) == #"{"item":{"price":"2"}}"#)

    // A text frame is a whole message where the route has no body.
    let talk = try Shop.match(Self.table, "GET", "/v1/talk/n")
    let frames = RequestTranscoder(talk, query: bytes("count=1"))
    (first, second) = ([], [])
    try frames.encode(frame: bytes(#"{"page_token":"a","name":"m"}"#), isFirst: true, into: &first)
    try frames.encode(frame: bytes(#"{"page_token":"b","name":"m"}"#), isFirst: false, into: &second)
    #expect(Shop.json(first, talk.route.method.input) == #"{"name":"n","count":1,"page_token":"a"}"#)
    #expect(Shop.json(second, talk.route.method.input) == #"{"name":"m","page_token":"b"}"#)
    #expect(throws: TranscodingError.self) { try frames.encode(frame: bytes("x"), isFirst: false, into: &second) }
  }

  @Test("an error leaves what was written before it")
  func appends() throws {
    let match = try Shop.match(Self.table, "POST", "/v1/all")
    let request = RequestTranscoder(match)
    var written: [UInt8] = [1, 2, 3]
    #expect(throws: TranscodingError.self) { try request.encode(body: bytes("x"), into: &written) }
    #expect(written == [1, 2, 3])
    try request.encode(body: bytes(#"{"count":1}"#), into: &written)
    #expect(written == [1, 2, 3, 0x20, 1])
  }

  // MARK: - Random messages

  @Test("a message that is written as a query is bound again", arguments: 1...50)
  func roundTrip(seed: Int) throws {
    var random = SeededGenerator(UInt64(seed))
    let type = try #require(Shop.pool.message(named: "shop.v1.Everything"))
    var parameters: [String] = []
    let message = try Self.message(type, "", 0, &parameters, &random)
    parameters.shuffle(using: &random)
    // Elements of one list keep their order.
    parameters = Self.grouped(parameters)
    let match = try Shop.match(Self.table, "GET", "/v1/echo")
    let query = parameters.joined(separator: "&")
    #expect(try RequestTranscoder(match, query: bytes(query)).message(body: []) == message, "\(query)")
  }

  /// The parameters by their names, those of one name in the order of their numbers, which are taken off.
  private static func grouped(_ parameters: [String]) -> [String] {
    parameters.sorted { left, right in
      let (a, b) = (left.split(separator: "!"), right.split(separator: "!"))
      return a[0] == b[0] ? (Int(a[1]) ?? 0) < (Int(b[1]) ?? 0) : a[0] < b[0]
    }.map { parameter in
      let parts = parameter.split(separator: "!", maxSplits: 2, omittingEmptySubsequences: false)
      return "\(parts[0])=\(parts[2])"
    }
  }

  /// A random message, and its fields as `name!place!value`.
  private static func message(
    _ type: MessageDescriptor, _ prefix: String, _ depth: Int, _ parameters: inout [String],
    _ random: inout SeededGenerator
  ) throws -> DynamicMessage {
    var message = DynamicMessage(type)
    for field in type.fields where Int.random(in: 0..<3, using: &random) == 0 {
      let name = prefix + (Bool.random(using: &random) ? field.name : field.jsonName)
      if field.isMap {
        guard let entry = field.message, let key = entry.field(numbered: 1), let value = entry.field(numbered: 2) else {
          continue
        }
        var entries: [DynamicMapEntry] = []
        for _ in 0..<2 {
          guard let (keyValue, keyText) = scalar(key, &random), let (value, text) = scalar(value, &random),
            !entries.contains(where: { $0.key == keyValue })
          else { continue }
          entries.append(DynamicMapEntry(key: keyValue, value: value))
          parameters.append("\(name)[\(keyText)]!0!\(text)")
        }
        try message.set(.map(entries), for: field)
      } else if field.type == .message, field.cardinality != .repeated, field.name == "nested", depth < 3 {
        guard let inner = field.message else { continue }
        let before = parameters.count
        let content = try self.message(inner, name + ".", depth + 1, &parameters, &random)
        if parameters.count > before { try message.set(.message(content), for: field) }
      } else if field.cardinality == .repeated {
        var list: [DynamicValue] = []
        for place in 0..<3 {
          guard let (value, text) = scalar(field, &random) else { continue }
          list.append(value)
          parameters.append("\(name)!\(place)!\(text)")
        }
        try message.set(.list(list), for: field)
      } else if let (value, text) = scalar(field, &random) {
        try message.set(value, for: field)
        parameters.append("\(name)!0!\(text)")
      }
    }
    return message
  }

  private static let letters = ["a", "Z", "!", "&", "=", "+", " ", "%", "ä", "]", "/", "\u{0}", "😀"]

  /// A random value, and its form in a query; nil for messages.
  private static func scalar(
    _ field: FieldDescriptor, _ random: inout SeededGenerator
  ) -> (DynamicValue, String)? {
    let bits = random.next() >> (random.next() & 63)
    switch field.type {
    case .double:
      let value = Double(bitPattern: random.next())
      return value.isFinite ? (.double(value), escaped("\(value)")) : (.double(.infinity), "Infinity")
    case .float:
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      return value.isFinite ? (.float(value), escaped("\(value)")) : (.float(-.infinity), "-Infinity")
    case .int64, .sint64, .sfixed64: return (.int64(Int64(bitPattern: bits)), "\(Int64(bitPattern: bits))")
    case .uint64, .fixed64: return (.uint64(bits), "\(bits)")
    case .int32, .sint32, .sfixed32:
      let value = Int32(truncatingIfNeeded: bits)
      return (.int32(value), "\(value)")
    case .uint32, .fixed32: return (.uint32(UInt32(truncatingIfNeeded: bits)), "\(UInt32(truncatingIfNeeded: bits))")
    case .bool: return (.bool(bits & 1 == 1), bits & 1 == 1 ? "true" : "false")
    case .enumeration:
      let value: Int32 = [0, 1, -2, 9][Int(bits % 4)]
      return (.enumeration(value), value == 1 ? "RED" : "\(value)")
    case .string:
      let text = (0..<Int(bits % 8)).map { _ in letters.randomElement(using: &random) ?? "a" }.joined()
      return (.string(text), escaped(text))
    case .bytes:
      let data = (0..<Int(bits % 8)).map { _ in UInt8.random(in: 0...255, using: &random) }
      return (.bytes(data), escaped(base64(data)))
    case .message, .group: return nil
    }
  }

  private static func base64(_ data: [UInt8]) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    var text = ""
    var bits = 0
    var word = 0
    for byte in data {
      word = word << 8 | Int(byte)
      bits += 8
      while bits >= 6 {
        bits -= 6
        text.append(letters[word >> bits & 63])
      }
    }
    if bits > 0 { text.append(letters[word << (6 - bits) & 63]) }
    return text
  }

  private static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      let isPlain = byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
      return isPlain ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
