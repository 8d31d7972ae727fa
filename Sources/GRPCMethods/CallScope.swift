// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import NIOCore
internal import Synchronization

/// What a call that is being handled lends to the calls that its handler makes: they end no later, and carry on what
/// identifies the request.
public final class CallScope: Sendable {
  /// When the call being handled ends; nil where it may take as long as it likes.
  public let deadline: NIODeadline?

  private let forwarded: Mutex<Metadata>

  /// A scope with a deadline and entries to pass on.
  public init(deadline: NIODeadline? = nil, metadata: Metadata = Metadata()) {
    self.deadline = deadline
    forwarded = Mutex(metadata)
  }

  /// Entries that go out with every call made within the scope, such as `x-request-id`.
  public var metadata: Metadata {
    get { forwarded.withLock { $0 } }
    set { forwarded.withLock { $0 = newValue } }
  }

  /// The scope of the call that the current task handles; nil outside of any.
  @TaskLocal public static var current: CallScope?
}
