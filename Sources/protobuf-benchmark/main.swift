// SPDX-License-Identifier: Apache-2.0

// Turns messages into JSON and back for some seconds each, and says how many that were. scripts/bench-protobuf runs it
// beside its peers.
//
//   protobuf-benchmark DESCRIPTOR-SET FILE TYPE SECONDS
//
// The file holds messages, each behind its length of four bytes, little-endian. A line for each direction:
//
//   to-json MESSAGES BYTES SECONDS      decoded, and written as JSON of so many bytes
//   from-json MESSAGES BYTES SECONDS    read from that JSON, and encoded

import Foundation
import Protobuf

/// Does `work`, which returns the bytes of JSON that it read or wrote, until the time is over, and tells how much that
/// was.
func measure(_ name: String, seconds: Double, messages: Int, _ work: () throws -> Int) rethrows {
  _ = try work()
  var rounds = 0
  var bytes = 0
  let clock = ContinuousClock()
  let start = clock.now
  var taken = 0.0
  repeat {
    bytes += try work()
    rounds += 1
    taken = (clock.now - start) / .seconds(1)
  } while taken < seconds
  print(name, rounds * messages, bytes, String(format: "%.6f", taken))
}

let arguments = CommandLine.arguments
guard arguments.count == 5, let seconds = Double(arguments[4]) else {
  fatalError("usage: protobuf-benchmark DESCRIPTOR-SET FILE TYPE SECONDS")
}
let pool = try DescriptorPool(set: [UInt8](Data(contentsOf: URL(fileURLWithPath: arguments[1]))))
guard let type = pool.message(named: arguments[3]) else { fatalError("the schema has no \(arguments[3])") }

var content = try [UInt8](Data(contentsOf: URL(fileURLWithPath: arguments[2])))[...]
var encoded: [[UInt8]] = []
while content.count >= 4 {
  var length = 0
  for (place, byte) in content.prefix(4).enumerated() { length |= Int(byte) << (8 * place) }
  encoded.append([UInt8](content.dropFirst(4).prefix(length)))
  content = content.dropFirst(4 + length)
}

var documents = [[UInt8]](repeating: [], count: encoded.count)
try measure("to-json", seconds: seconds, messages: encoded.count) {
  var bytes = 0
  for (place, one) in encoded.enumerated() {
    documents[place].removeAll(keepingCapacity: true)
    try DynamicMessage(decoding: one, as: type).writeJSON(into: &documents[place])
    bytes += documents[place].count
  }
  return bytes
}
var back: [UInt8] = []
try measure("from-json", seconds: seconds, messages: encoded.count) {
  var bytes = 0
  for document in documents {
    back.removeAll(keepingCapacity: true)
    try DynamicMessage(json: document[...], as: type).encode(into: &back)
    bytes += document.count
  }
  return bytes
}
