// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// Schemas: the messages of our services, made from Protos, and the descriptors of everything that they serve.

/// The descriptors of all schemas in Protos, health, reflection and the annotations of HTTP among them, with the files
/// that they import.
public enum DescriptorSet {
  /// A serialised `google.protobuf.FileDescriptorSet`; a file stands behind the files that it imports.
  public static let bytes: [UInt8] = Base64.decode(literal: text)
}
