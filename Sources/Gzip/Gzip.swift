// SPDX-License-Identifier: Apache-2.0

internal import CZlib

// Gzip: whole messages in the gzip format (RFC 1952), compressed and expanded with a bound.

/// Why bytes could not be compressed or expanded.
public enum GzipError: Error, Equatable, Sendable {
  /// The bytes are no gzip stream, or their checksum is wrong.
  case corrupt
  /// The bytes end before the stream does.
  case truncated
  /// The content has more bytes than the caller allows.
  case tooLarge
  /// zlib had no memory.
  case outOfMemory
}

/// Compression of whole messages.
public enum Gzip {
  // zlib's windowBits: 15 for the largest window, and 16 more for the gzip format.
  private static let windowBits: Int32 = 15 + 16
  private static let memoryLevel: Int32 = 8

  /// Compresses bytes into one gzip stream.
  public static func compress(_ bytes: Span<UInt8>) throws(GzipError) -> [UInt8] {
    var stream = unsafe z_stream()
    let size = Int32(unsafe MemoryLayout<z_stream>.size)
    guard
      unsafe deflateInit2_(
        &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, windowBits, memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
        == Z_OK
    else { throw .outOfMemory }
    defer { unsafe deflateEnd(&stream) }
    // The bound holds for the gzip wrapper too, so one call does it all. zlib counts in 32 bits.
    guard bytes.count <= Int(UInt32.max) / 2 else { throw .tooLarge }
    let bound = Int(unsafe deflateBound(&stream, UInt(bytes.count)))
    var result = Z_STREAM_ERROR
    let output = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      unsafe bytes.withUnsafeBufferPointer { input in
        // zlib declares its input mutable and does not write to it.
        unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.avail_in = UInt32(input.count)
        unsafe stream.next_out = buffer.baseAddress
        unsafe stream.avail_out = UInt32(buffer.count)
        result = unsafe deflate(&stream, Z_FINISH)
      }
      count = Int(unsafe stream.total_out)
    }
    guard result == Z_STREAM_END else { throw .outOfMemory }
    return output
  }

  /// Expands gzip streams — one, or several in a row, as the format allows — to at most `limit` bytes of content.
  public static func decompress(_ bytes: Span<UInt8>, limit: Int) throws(GzipError) -> [UInt8] {
    guard bytes.count <= Int(UInt32.max) else { throw .tooLarge }
    var stream = unsafe z_stream()
    let size = Int32(unsafe MemoryLayout<z_stream>.size)
    guard unsafe inflateInit2_(&stream, windowBits, ZLIB_VERSION, size) == Z_OK else { throw .outOfMemory }
    defer { unsafe inflateEnd(&stream) }
    var output: [UInt8] = []
    // Room grows with what arrived, so that a small message cannot make us allocate the limit.
    var room = min(max(4 * bytes.count, 1 << 10), 256 << 10)
    let failure: GzipError? = unsafe bytes.withUnsafeBufferPointer { input in
      unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      unsafe stream.avail_in = UInt32(input.count)
      while true {
        var result = Z_OK
        let chunk = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
          unsafe stream.next_out = buffer.baseAddress
          unsafe stream.avail_out = UInt32(buffer.count)
          result = unsafe inflate(&stream, Z_NO_FLUSH)
          count = unsafe buffer.count - Int(stream.avail_out)
        }
        guard chunk.count <= limit - output.count else { return .tooLarge }
        if output.isEmpty { output = chunk } else { output += chunk }
        switch result {
        case Z_STREAM_END:
          if unsafe stream.avail_in == 0 { return nil }
          guard unsafe inflateReset(&stream) == Z_OK else { return .corrupt }
        case Z_OK: room = 256 << 10
        case Z_BUF_ERROR: return .truncated  // no input left, and no progress without it
        case Z_MEM_ERROR: return .outOfMemory
        default: return .corrupt
        }
      }
    }
    if let failure { throw failure }
    return output
  }

  /// zlib's version.
  public static var libraryVersion: String { unsafe String(cString: zlibVersion()) }
}
