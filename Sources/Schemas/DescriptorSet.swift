// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// Schemas: the messages of our services, made from Protos, and the descriptors of everything that they serve.

/// The descriptors of all schemas in Protos, health, reflection and the annotations of HTTP among them, with the files
/// that they import.
public enum DescriptorSet {
  /// A serialised `google.protobuf.FileDescriptorSet`; a file stands behind the files that it imports.
  public static let bytes: [UInt8] = text.withUTF8Buffer { text in
    var decoder = Base64.Decoder(expectedCount: text.count / 4 * 3)
    // The literal has line breaks; everything else in it is base64, which a test makes sure of.
    for symbol in text where symbol != 0x0A { _ = decoder.append(symbol) }
    return decoder.finish() ?? []
  }
}
