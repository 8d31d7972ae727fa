// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TLS

/// What a client's later TLS handshakes can be shortened with: the newest tickets of each address.
///
/// One that the server refuses costs nothing: the handshake is a full one then.
final class TicketStore: Sendable {
  /// Tickets of one address: as many connections can be resumed at the same time.
  static let addressLimit = 4
  /// Tickets of all addresses. Each holds the server's certificates, so some kilobytes.
  static let limit = 1_000

  private struct Entry {
    let address: String
    let ticket: TLSResumptionTicket
  }

  /// Oldest first.
  private let entries = Mutex<[Entry]>([])

  /// Keeps a ticket, in place of the oldest one where there is no room.
  func keep(_ ticket: TLSResumptionTicket, from address: String) {
    entries.withLock { entries in
      if entries.reduce(0, { $1.address == address ? $0 + 1 : $0 }) >= Self.addressLimit,
        let oldest = entries.firstIndex(where: { $0.address == address })
      {
        entries.remove(at: oldest)
      }
      if entries.count >= Self.limit { entries.removeFirst() }
      entries.append(Entry(address: address, ticket: ticket))
    }
  }

  /// The newest ticket of an address. It is the caller's from now on, unless it can be used again.
  func take(for address: String) -> TLSResumptionTicket? {
    entries.withLock { entries in
      guard let index = entries.lastIndex(where: { $0.address == address }) else { return nil }
      let ticket = entries[index].ticket
      if !ticket.isReusable { entries.remove(at: index) }
      return ticket
    }
  }
}
