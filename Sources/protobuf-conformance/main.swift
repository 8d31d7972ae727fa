// SPDX-License-Identifier: Apache-2.0

// Speaks with the runner of Protobuf's public conformance tests, on standard input and standard output: each message
// has its length in front, four bytes, little-endian.
//
//   protobuf-conformance --descriptors FILE
//
// FILE is a FileDescriptorSet of the test messages with all that they import. Protobuf's own form and JSON are spoken,
// also where members that are not known are passed over; text format and JSPB are answered as skipped.

import Foundation
import Protobuf

/// More than any test has.
let sizeLimit = 256 << 20

func fail(_ line: String) -> Never {
  FileHandle.standardError.write(Data("protobuf-conformance: \(line)\n".utf8))
  exit(2)
}

/// So many bytes of standard input; fewer at its end.
func read(_ count: Int) -> [UInt8] {
  var bytes: [UInt8] = []
  while bytes.count < count {
    guard let more = try? FileHandle.standardInput.read(upToCount: count - bytes.count), !more.isEmpty else { break }
    bytes += more
  }
  return bytes
}

let arguments = CommandLine.arguments
guard arguments.count == 3, arguments[1] == "--descriptors" else {
  fail("usage: protobuf-conformance --descriptors FILE")
}
guard let content = FileManager.default.contents(atPath: arguments[2]) else { fail("cannot read \(arguments[2])") }
let pool: DescriptorPool
do throws(SchemaError) { pool = try DescriptorPool(set: [UInt8](content)) } catch {
  fail("\(arguments[2]): \(error.message)")
}

while true {
  let head = read(4)
  if head.isEmpty { break }
  let length = head.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
  guard head.count == 4, length <= sizeLimit else { fail("standard input is no row of requests") }
  let request = read(length)
  guard request.count == length else { fail("standard input ends within a request") }
  let response = pool.answer(request).encoded
  var answer = withUnsafeBytes(of: UInt32(truncatingIfNeeded: response.count).littleEndian) { Data($0) }
  answer += response
  FileHandle.standardOutput.write(answer)
}
