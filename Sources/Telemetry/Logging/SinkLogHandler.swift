// SPDX-License-Identifier: Apache-2.0

public import Logging
internal import Tracing

/// A handler of swift-log whose lines go to a sink:
/// `LoggingSystem.bootstrap { SinkLogHandler(label: $0, sink: sink, level: level) }`.
public struct SinkLogHandler: LogHandler {
  /// What every line of this logger carries.
  public var metadata: Logger.Metadata = [:]
  /// What a line carries of the task in which it is written.
  public var metadataProvider: Logger.MetadataProvider?
  /// The least important level that is written.
  public var logLevel: Logger.Level
  private let label: String
  private let sink: LogSink

  /// A handler of one logger.
  public init(
    label: String, sink: LogSink, level: Logger.Level = .info, metadataProvider: Logger.MetadataProvider? = nil
  ) {
    self.label = label
    self.sink = sink
    self.metadataProvider = metadataProvider
    logLevel = level
  }

  /// One entry of ``metadata``.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes a line. Of entries with one name that of the line wins, then the task's, then the logger's.
  public func log(event: LogEvent) {
    var entries = metadata
    if let provided = metadataProvider?.get() { entries.merge(provided) { _, new in new } }
    if let own = event.metadata { entries.merge(own) { _, new in new } }
    if let error = event.error, entries["error"] == nil { entries["error"] = .string(String(describing: error)) }
    sink.write(
      LogFormatter.Event(level: event.level, message: event.message.description, label: label, metadata: entries))
  }
}

extension Logger.MetadataProvider {
  /// Adds `trace_id` and `span_id` of the span that is under way.
  public static var currentSpan: Logger.MetadataProvider {
    Logger.MetadataProvider {
      guard let span = ServiceContext.current?.spanContext else { return [:] }
      return ["trace_id": .string(span.traceID.text), "span_id": .string(span.spanID.text)]
    }
  }
}
