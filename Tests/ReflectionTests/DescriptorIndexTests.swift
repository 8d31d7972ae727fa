// SPDX-License-Identifier: Apache-2.0

import Protobuf
import Reflection
import TestSupport
import Testing

private func failure(_ files: [[UInt8]], limits: DescriptorIndex.Limits = .init()) -> DescriptorError? {
  do throws(DescriptorError) {
    _ = try DescriptorIndex(files, limits: limits)
    return nil
  } catch { return error }
}

/// A file with one message in so many others.
private func nested(_ depth: Int) -> [UInt8] {
  var inner: [UInt8] = message([(1, "M")])
  for _ in 1..<depth {
    var writer = WireWriter()
    writer.string("M", field: 1)
    writer.bytes(inner, field: 3)
    inner = writer.bytes
  }
  var writer = WireWriter()
  writer.string("nested.proto", field: 1)
  writer.bytes(inner, field: 4)
  return writer.bytes
}

@Suite struct DescriptorIndexTests {
  @Test("a file comes with every known file that it imports, each once, even where files import each other")
  func dependencies() throws {
    let index = try DescriptorIndex([deepestFile, userFile, baseFile])
    #expect(index.files(named: "user.proto") == [userFile, baseFile, deepestFile])
    #expect(index.files(named: "deepest.proto") == [deepestFile, baseFile])
    #expect(index.files(named: "absent.proto") == nil)
    #expect(index.fileNames == ["base.proto", "deepest.proto", "user.proto"])
    #expect(index.services == ["AService", "user.v1.UserService"])
  }

  @Test(
    "every kind of symbol leads to its file",
    arguments: [
      "user.v1.UserService", "user.v1.UserService.GetUser", "user.v1.User", "user.v1.User.id", "user.v1.User.choice",
      "user.v1.User.Address", "user.v1.User.Address.street", "user.v1.User.Address.Deep", "user.v1.User.Address.Kind",
      "user.v1.User.Address.HOME", "user.v1.Role", "user.v1.ROLE_UNSPECIFIED", "user.v1.outer_extension",
      "user.v1.User.inner_extension",
    ])
  func symbols(name: String) throws {
    let index = try DescriptorIndex([userFile, baseFile])
    #expect(index.files(declaring: name)?.first == userFile)
  }

  @Test(
    "what is no symbol leads nowhere",
    arguments: ["", "user.v1", ".user.v1.User", "User", "user.v1.Role.ROLE_UNSPECIFIED", "user.v1.User.", "user.proto"])
  func noSymbols(name: String) throws {
    #expect(try DescriptorIndex([userFile, baseFile]).files(declaring: name) == nil)
  }

  @Test("a package-less file's symbols have no dot in front")
  func noPackage() throws {
    #expect(try DescriptorIndex([deepestFile]).files(declaring: "Global") == [deepestFile])
  }

  @Test("extensions are found by message and number")
  func extensions() throws {
    let index = try DescriptorIndex([userFile, baseFile])
    #expect(index.extensionNumbers(of: "base.Extensible") == [100, 101])
    #expect(index.extensionNumbers(of: "base.Plain") == [])
    #expect(index.extensionNumbers(of: "user.v1.UserService") == nil)
    #expect(index.extensionNumbers(of: "base.Absent") == nil)
    #expect(index.files(extending: "base.Extensible", number: 101) == [userFile, baseFile])
    #expect(index.files(extending: "base.Extensible", number: 102) == nil)
    #expect(index.files(extending: "base.Plain", number: 100) == nil)
  }

  @Test("a set is its files")
  func set() throws {
    var writer = WireWriter()
    writer.bytes(userFile, field: 1)
    writer.bytes(baseFile, field: 1)
    #expect(try DescriptorIndex(set: writer.bytes).fileNames == ["base.proto", "user.proto"])
    #expect(throws: DescriptorError.self) { try DescriptorIndex(set: [0x0A, 0x05]) }
  }

  @Test("a file that is given twice counts once, two of one name or one symbol are refused by name")
  func conflicts() throws {
    #expect(failure([baseFile, baseFile]) == nil)
    let other = message([(1, "base.proto")])
    #expect(failure([baseFile, other])?.code == .conflictingFile("base.proto"))
    let same = message([(1, "same.proto"), (2, "base"), (6, [(1, "Plain")])])
    let error = failure([baseFile, same])
    #expect(error?.code == .conflictingSymbol("base.Plain"))
    #expect(error?.file == 1)
    let twice = message([
      (1, "twice.proto"), (7, [(1, "a"), (2, ".T"), (3, 1)]), (7, [(1, "b"), (2, ".T"), (3, 1)]),
    ])
    #expect(failure([twice])?.code == .conflictingSymbol("T"))
  }

  @Test("what is malformed, unnamed or too much is refused by name")
  func refusals() {
    #expect(failure([[0x0A, 0x05]])?.code == .malformed(WireError(.truncated, at: 0)))
    #expect(failure([[]])?.code == .unnamed)
    #expect(failure([message([(1, "a.proto"), (4, [])])])?.code == .unnamed)
    #expect(failure([message([(1, "a.proto"), (4, [(1, "a.b")])])])?.code == .unnamed)
    let long = String(repeating: "n", count: 300)
    #expect(failure([message([(1, "a.proto"), (2, .text(long)), (4, [(1, .text(long))])])])?.code == .nameTooLong)
    #expect(failure([message([(1, "a.proto"), (2, .text(long + long))])])?.code == .nameTooLong)
    #expect(failure([nested(32)]) == nil)
    #expect(failure([nested(33)])?.code == .tooDeep)
    #expect(failure([nested(5_000)])?.code == .tooDeep)
    var limits = DescriptorIndex.Limits()
    limits.files = 1
    #expect(failure([baseFile, deepestFile], limits: limits)?.code == .tooManyFiles)
    limits.files = 10
    limits.symbols = 3
    #expect(failure([baseFile, deepestFile], limits: limits)?.code == .tooManySymbols)
  }

  @Test("mutated descriptors are refused, or their index answers for whatever it lists", arguments: [1, 2, 3])
  func mutated(seed: UInt64) {
    var random = SeededGenerator(seed)
    var accepted = 0
    for _ in 0..<3_000 {
      var bytes = userFile
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0...2, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        }
      }
      guard let index = try? DescriptorIndex([bytes, baseFile]) else { continue }
      accepted += 1
      for name in index.fileNames { #expect(index.files(named: name)?.isEmpty == false) }
      for name in index.services { #expect(index.files(declaring: name)?.isEmpty == false) }
    }
    #expect(accepted > 100)
  }
}
