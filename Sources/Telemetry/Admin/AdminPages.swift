// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import NIOHTTP1

/// What is answered on the administration port, without the connection it travels on.
struct AdminPages: Sendable {
  /// One answer.
  struct Answer {
    let status: HTTPResponseStatus
    var contentType = "text/plain; charset=utf-8"
    var fields: [(String, String)] = []
    let body: [UInt8]

    init(_ status: HTTPResponseStatus, _ text: String) {
      self.status = status
      body = Array((text + "\n").utf8)
    }

    init(metrics: [UInt8]) {
      status = .ok
      contentType = PrometheusText.contentType
      body = metrics
    }
  }

  /// The longest reason that is shown, in bytes.
  private static let reasonLimit = 1_024

  let registry: MetricsRegistry
  let readiness: @Sendable () -> Readiness

  /// Answers a request by its method and target. A query is passed over.
  func answer(_ method: HTTPMethod, _ target: String) -> Answer {
    let path = target.utf8.prefix { $0 != 0x3F }
    guard let page = page(String(Substring(path))) else { return Answer(.notFound, "not found") }
    guard method == .GET || method == .HEAD else {
      var answer = Answer(.methodNotAllowed, "method not allowed")
      answer.fields = [("allow", "GET, HEAD")]
      return answer
    }
    return page()
  }

  private func page(_ path: String) -> (() -> Answer)? {
    switch path {
    case "/metrics": { Answer(metrics: registry.text()) }
    case "/healthz": { Answer(.ok, "ok") }
    case "/readyz": ready
    default: nil
    }
  }

  private func ready() -> Answer {
    switch readiness() {
    case .ready: Answer(.ok, "ready")
    case .notReady(let reason):
      Answer(
        .serviceUnavailable, "not ready: " + reason.safeForDisplay.shortened(toUTF8Count: Self.reasonLimit))
    }
  }
}
