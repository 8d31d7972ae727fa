// SPDX-License-Identifier: Apache-2.0

// Fuzzes one parser with libFuzzer: `sonde-fuzz TARGET [libFuzzer's arguments]`; `list` names the targets.
// scripts/fuzz calls it.

import CFuzzer
import Glibc

let arguments = CommandLine.arguments
guard arguments.count > 1, let target = targets[arguments[1]] else {
  print(targets.keys.sorted().joined(separator: " "))
  exit(arguments.last == "list" ? 0 : 2)
}

/// The parser under test, where a C function can reach it.
let test = target

// The driver takes the arguments as C has them, without the target's name.
let words = [arguments[0]] + arguments.dropFirst(2)
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
