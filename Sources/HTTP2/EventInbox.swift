// SPDX-License-Identifier: Apache-2.0

/// The events that wait to be taken: a queue that reuses its memory and knows what it holds.
struct EventInbox {
  private var events: [HTTP2Event] = []
  private var head = 0

  /// About how many bytes the payloads of the waiting events take.
  private(set) var payloadBytes = 0

  var count: Int { events.count - head }

  /// Adds an event whose payload takes about `payload` bytes.
  mutating func append(_ event: consuming HTTP2Event, payload: Int = 0) {
    events.append(event)
    payloadBytes &+= payload
  }

  /// Takes the oldest event. It leaves no copy behind, so that its arrays are the caller's alone.
  mutating func next() -> HTTP2Event? {
    guard head < events.count else { return nil }
    var event = HTTP2Event.settingsAcknowledged
    swap(&event, &events[head])
    head += 1
    if head == events.count {
      events.removeAll(keepingCapacity: events.capacity <= EventInbox.keptCapacity)
      head = 0
      payloadBytes = 0
    }
    return event
  }

  /// Capacity that an emptied queue keeps; a flood's worth is given back.
  private static let keptCapacity = 1_024
}
