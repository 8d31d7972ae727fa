// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import NIOCore

/// What a call that is being handled lends to the calls that its handler makes: they end no later, and carry on what
/// identifies the request.
public struct CallScope: Sendable {
  /// When the call being handled ends; nil where it may take as long as it likes.
  public var deadline: NIODeadline?
  /// Entries that go out with every call made within the scope, such as `x-request-id`.
  public var metadata: Metadata

  /// A scope with a deadline and entries to pass on.
  public init(deadline: NIODeadline? = nil, metadata: Metadata = Metadata()) {
    self.deadline = deadline
    self.metadata = metadata
  }

  /// The scope of the call that the current task handles; nil outside of any.
  @TaskLocal public static var current: CallScope?
}
