// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// What to wait for, on descriptors that somebody else owns.
public struct Poll {
  /// What a descriptor is waited for.
  public struct Interest: OptionSet, Sendable {
    /// poll(2)'s bits.
    public let rawValue: Int16
    /// A set of poll(2)'s bits.
    public init(rawValue: Int16) { self.rawValue = rawValue }
    /// There is something to read, or the peer has ended its side.
    public static let readable = Interest(rawValue: Int16(POLLIN))
    /// There is room to write, or the connection's outcome is known.
    public static let writable = Interest(rawValue: Int16(POLLOUT))
  }

  private var entries: [pollfd] = []

  /// Nothing to wait for but time.
  public init() {}

  /// Adds a socket; its index is the number of entries before it.
  public mutating func add(_ socket: borrowing StreamSocket, for interest: Interest) {
    entries.append(pollfd(fd: socket.number, events: interest.rawValue, revents: 0))
  }

  /// Adds a socket for datagrams that arrive; its index is the number of entries before it.
  public mutating func add(_ socket: borrowing DatagramSocket) {
    entries.append(pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0))
  }

  /// Adds the process's signals, as ``Signals`` holds them.
  public mutating func add(_ signals: borrowing Signals) {
    entries.append(pollfd(fd: signals.number, events: Int16(POLLIN), revents: 0))
  }

  /// Adds standard input, for what can be read from it.
  public mutating func addInput() { entries.append(pollfd(fd: 0, events: Int16(POLLIN), revents: 0)) }

  /// Adds the moment when nobody reads a stream any more.
  public mutating func addEnd(of stream: StandardStream) {
    entries.append(pollfd(fd: stream.rawValue, events: 0, revents: 0))
  }

  /// Adds a copy of this process that may tell something; its index is the number of entries before it.
  public mutating func add(_ child: ChildProcess) {
    entries.append(pollfd(fd: child.number, events: Int16(POLLIN), revents: 0))
  }

  /// Adds a look-up that runs on its own thread.
  mutating func add(_ descriptor: borrowing FileDescriptor) {
    entries.append(pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0))
  }

  /// Waits until an entry is ready or the deadline has come; whether anything is ready.
  public mutating func wait(until deadline: Deadline) throws(SystemError) -> Bool {
    while true {
      let left = deadline.remaining
      var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
      let count =
        unsafe left == .max
        ? ppoll(&entries, nfds_t(entries.count), nil, nil) : ppoll(&entries, nfds_t(entries.count), &time, nil)
      if count > 0 { return true }
      if count == 0 {
        if deadline.hasPassed { return false }
      } else if sonde_errno() != EINTR {
        throw SystemError("poll")
      }
    }
  }

  /// Whether the entry at an index has anything to say: readiness, an end or an error.
  public func isReady(_ index: Int) -> Bool { entries.indices.contains(index) && entries[index].revents != 0 }
}

/// How punctual the process's waits are.
public enum TimerSlack {
  /// Lets waits end as soon as the kernel can, instead of up to 50 µs later: for whoever measures, or keeps a rate.
  public static func minimize() { sonde_set_timer_slack(1) }
}
