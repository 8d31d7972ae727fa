// SPDX-License-Identifier: Apache-2.0

// Fuzzes one parser with libFuzzer: `sonde-fuzz TARGET [libFuzzer's arguments]`. scripts/fuzz calls it.

import CFuzzer

guard CommandLine.arguments.count >= 2, let target = targets[CommandLine.arguments[1]] else {
  print("usage: sonde-fuzz TARGET [ARGUMENT…]\ntargets: " + targets.keys.sorted().joined(separator: " "))
  throw ExitCode.usage
}

enum ExitCode: Error { case usage }

/// The parser under test; set once, before the driver starts.
let test = target

// The driver takes the arguments as C has them, without the target's name.
let words = [CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)
var pointers: [UnsafeMutablePointer<CChar>?] = words.map { word in
  let copy = UnsafeMutablePointer<CChar>.allocate(capacity: word.utf8.count + 1)
  for (index, byte) in word.utf8.enumerated() { copy[index] = CChar(bitPattern: byte) }
  copy[word.utf8.count] = 0
  return copy
}
var count = Int32(pointers.count)
pointers.append(nil)
pointers.withUnsafeMutableBufferPointer { buffer in
  var argv = buffer.baseAddress
  _ = LLVMFuzzerRunDriver(&count, &argv) { data, size in
    test(data.map { Array(UnsafeBufferPointer(start: $0, count: size)) } ?? [])
    return 0
  }
}
