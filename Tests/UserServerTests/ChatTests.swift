// SPDX-License-Identifier: Apache-2.0

import Schemas
import SwiftProtobuf
import Testing

@testable import UserServer
@testable import UserStore

@Suite struct ChatTests {
  static func message(_ room: String, _ sender: String, _ text: String = "") -> User_V1_ChatMessage {
    .with {
      $0.room = room
      $0.sender = sender
      $0.text = text
    }
  }

  static func fields(_ work: () throws(StoreError) -> Void) -> [String] {
    do throws(StoreError) { try work() } catch {
      if case .invalidArgument(let violations) = error { return violations.map(\.field) }
    }
    return []
  }

  @Test("the first message names room and sender, with or without a text")
  func joining() throws {
    let silent = try ChatParticipant(Self.message("hall", "Ada"))
    #expect(silent == (try ChatParticipant(Self.message("hall", "Ada", "Hello"))))
    let nameless = Self.fields { () throws(StoreError) in _ = try ChatParticipant(Self.message("", "")) }
    #expect(nameless == ["room", "sender"])
    let long = String(repeating: "x", count: 5_000)
    #expect(
      Self.fields { () throws(StoreError) in _ = try ChatParticipant(Self.message(long, long, long)) }
        == ["room", "sender", "text"])
  }

  @Test("later messages need not say them again, and cannot say others")
  func speaking() throws {
    let ada = try ChatParticipant(Self.message("hall", "Ada"))
    let full = Self.message("hall", "Ada", "Hello")
    #expect(try ada.message(Self.message("", "", "Hello")) == full)
    #expect(try ada.message(full) == full)
    #expect(
      Self.fields { () throws(StoreError) in _ = try ada.message(Self.message("yard", "Bob", "x")) }
        == ["room", "sender"])
  }

  @Test("a participant waits for his own last message, in whatever order he says and hears")
  func progress() {
    let hearingFirst = ChatProgress()
    #expect(!hearingFirst.heard(5))
    #expect(hearingFirst.said(5))
    let sayingFirst = ChatProgress()
    #expect(!sayingFirst.said(7))
    #expect(!sayingFirst.heard(6))
    #expect(sayingFirst.heard(7))
  }
}
