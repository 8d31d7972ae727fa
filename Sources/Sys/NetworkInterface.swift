// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// Interfaces by the numbers that the kernel gives them.
public enum NetworkInterface {
  /// The number of the interface with a name; nil where there is none.
  public static func number(named name: String) -> UInt32? {
    let bytes = name.systemBytes.map { CChar(bitPattern: $0) } + [0]
    let number = unsafe if_nametoindex(bytes)
    return number == 0 ? nil : number
  }

  /// The name of the interface with a number; nil where there is none.
  public static func name(_ number: UInt32) -> String? {
    var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
    guard unsafe if_indextoname(number, &name) != nil else { return nil }
    return String(systemBytes: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
  }
}
