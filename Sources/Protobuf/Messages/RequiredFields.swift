// SPDX-License-Identifier: Apache-2.0

extension MessageStorage {
  /// Sees to it that every required field is set, here and within.
  func checkRequired(_ layout: MessageLayout) throws(MessageError) {
    guard layout.reachesRequired else { return }
    for index in layout.requiredFields where place(of: Int32(truncatingIfNeeded: index)) == nil {
      throw MessageError(.missingRequired).within(layout.slot(index).field)
    }
    for entry in entries {
      let slot = layout.slot(Int(entry.index))
      guard let type = slot.message, type.reachesRequired else { continue }
      switch entry.value {
      case .message(let content):
        do throws(MessageError) { try content.checkRequired(type) } catch { throw error.within(slot.field) }
      case .messages(let list):
        for (place, content) in list.enumerated() {
          do throws(MessageError) { try content.checkRequired(type) } catch { throw error.within(slot.field, place) }
        }
      case .map(let map):
        // An entry reaches required fields by its value.
        guard let value = type.slot(1).message else { continue }
        for entry in map.entries {
          guard case .message(let content) = entry.value else { continue }
          do throws(MessageError) { try content.checkRequired(value) } catch { throw error.within(slot.field) }
        }
      default: break
      }
    }
  }
}
