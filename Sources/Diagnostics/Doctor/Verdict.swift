// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The one diagnosis that all checks come to.
struct Verdict: Equatable {
  /// The stable code; `OK` where all is well.
  let code: String
  /// What it comes to, without a full stop.
  let sentence: String
  /// What was seen that speaks for it, in the order of the layers.
  let evidence: [String]
  /// What may be behind it, the likeliest first; empty where all is well.
  let candidates: [String]
  /// The command that settles the rest; empty where nothing is open.
  let next: String

  /// How much of each is told: a diagnosis that nobody reads helps nobody.
  private static let maxEvidence = 6
  private static let maxCandidates = 4

  /// Judges checks, in whatever order they come.
  ///
  /// - Parameter success: the sentence where nothing is wrong.
  init(of checks: [Check], target: Endpoint, surroundings: Surroundings, success: String) {
    let ordered = checks.enumerated().sorted { ($0.1.layer, $0.0) < ($1.1.layer, $1.0) }.map { $0.1 }
    let worst = ordered.map { $0.mark }.max() ?? .unknown
    // Of what is equally bad, the first layer counts: the others may be what comes of it.
    guard worst > .note, let main = ordered.first(where: { $0.mark == worst }) else {
      code = "OK"
      sentence = success
      evidence = ordered.filter { $0.layer == .health || $0.layer == .tcp }.prefix(Self.maxEvidence).map { $0.text }
      (candidates, next) = ([], "")
      return
    }
    // Where a sidecar takes connections over, what answered was not the server, and no word of it is the server's.
    let isSidecar = surroundings.sidecar != nil && Surroundings.sidecarCodes.contains(main.code)
    code = isSidecar ? "MESH_SIDECAR" : main.code
    let diagnosis = Diagnosis.named(code)
    sentence = diagnosis?.meaning ?? main.text
    evidence = Array(([main.text] + Self.evidence(for: main, in: ordered)).prefix(Self.maxEvidence))
    candidates = diagnosis.map { Array(surroundings.candidates(for: $0).prefix(Self.maxCandidates)) } ?? []
    next = diagnosis.map { Self.command($0.next, target, surroundings) } ?? ""
  }

  /// What belongs to the main check: what led up to it at the same address, and whatever else is not as it should be.
  private static func evidence(for main: Check, in ordered: [Check]) -> [String] {
    ordered.filter { check in
      guard check != main else { return false }
      if check.mark >= .warning { return true }
      let isSamePlace = main.address == nil || check.address == nil || check.address == main.address
      if check.layer == .environment { return isRelevant(check.code, to: main) }
      // What is odd is told where it says more than that all the rest is well.
      return isSamePlace && (check.layer < main.layer || check.mark == .note && check.code != "OK")
    }.map { $0.text }
  }

  /// Whether what is odd about this place has to do with a failure.
  private static func isRelevant(_ code: String, to main: Check) -> Bool {
    switch code {
    case "NO_CA_STORE": main.layer == .tls
    case "NO_NAMESERVER": main.layer == .name
    case "MTU_LOWER": main.code == "MTU_BLACKHOLE" || main.code == "TLS_TIMEOUT"
    case "NO_ADDRESS", "NO_DEFAULT_ROUTE", "UNDETERMINED": main.layer <= .tcp
    default: false
    }
  }

  /// The command of a diagnosis with the target's own words in it.
  private static func command(_ command: String, _ target: Endpoint, _ surroundings: Surroundings) -> String {
    let beside = ", beside the server"
    let isBeside = command.hasSuffix(beside)
    let words = (isBeside ? String(command.dropLast(beside.utf8.count)) : command).split(onASCII: 0x20)
    let text = words.map { word in
      switch word {
      case "HOST:PORT": target.text
      case "HOST", "NAME": target.hostText
      case "PORT": "\(target.port)"
      default: word
      }
    }.joined(separator: " ")
    guard isBeside else { return text }
    if let container = surroundings.container { return "docker exec \(container) \(text)" }
    return surroundings.isOwnHost ? text : text + beside
  }
}
