// SPDX-License-Identifier: Apache-2.0

extension MessageStorage {
  /// Sees to it that every required field is set, here and within; messages may nest `depth` deep. The limit is that of
  /// what is done with the message next: a program that builds one may nest deeper.
  func checkRequired(_ layout: MessageLayout, _ depth: Int) throws(MessageError) {
    guard layout.reachesRequired else { return }
    guard depth >= 0 else { throw MessageError(.malformed(.tooDeep)) }
    for index in layout.requiredFields where place(of: Int32(truncatingIfNeeded: index)) == nil {
      throw MessageError(.missingRequired).within(layout.slot(index).field)
    }
    for entry in entries { try entry.value.checkRequired(layout.slot(Int(entry.index)), depth) }
  }
}

extension Value {
  /// The same for what stands within a field of a message.
  func checkRequired(_ slot: FieldSlot, _ depth: Int) throws(MessageError) {
    guard let type = slot.message, type.reachesRequired else { return }
    switch self {
    case .message(let content):
      do throws(MessageError) { try content.checkRequired(type, depth - 1) } catch { throw error.within(slot.field) }
    case .messages(let list):
      for (place, content) in list.enumerated() {
        do throws(MessageError) { try content.checkRequired(type, depth - 1) } catch {
          throw error.within(slot.field, place)
        }
      }
    case .map(let map):
      // An entry is a message too, and reaches required fields by its value.
      for entry in map.entries {
        do throws(MessageError) { try entry.value.checkRequired(type.slot(1), depth - 1) } catch {
          throw error.within(slot.field)
        }
      }
    default: break
    }
  }
}
