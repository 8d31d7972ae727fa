// SPDX-License-Identifier: Apache-2.0

/// Answers the questions of one reflection stream from an index; each stream has a copy of its own.
///
/// It remembers what the stream was sent: a client keeps the files that it has, so that imports which came with an
/// earlier answer are left out of the next one. The file that was asked for is always sent.
public struct ReflectionResponder: Sendable {
  /// What becomes of a question.
  public enum Outcome: Equatable, Sendable {
    /// An answer, which may tell that there is no such thing; the stream goes on.
    case answer(ReflectionResponse)
    /// The question is none that this service knows: the stream ends with INVALID_ARGUMENT and this message.
    case invalid(String)
  }

  /// gRPC's NOT_FOUND.
  private static let notFound: Int32 = 5

  private let index: DescriptorIndex
  private let services: [String]
  /// Places of files that were sent.
  private var sent: Set<Int> = []

  /// A responder that lists the services given, which are those that the server offers; those of the index unless said
  /// otherwise.
  public init(_ index: DescriptorIndex, services: [String]? = nil) {
    self.index = index
    self.services = (services ?? index.services).sorted()
  }

  /// Answers one question.
  public mutating func answer(_ request: ReflectionRequest) -> Outcome {
    switch request.kind {
    case .fileByName(let name): files(index.place(named: name), request, "no such file")
    case .fileContainingSymbol(let name): files(index.place(declaring: name), request, "no such symbol")
    case .fileContainingExtension(let type, let number):
      files(index.place(extending: type, number: number), request, "no such extension")
    case .extensionNumbers(let type):
      if let numbers = index.extensionNumbers(of: type) {
        .answer(ReflectionResponse(.extensionNumbers(type: type, numbers: numbers), to: request))
      } else {
        missing(request, "no such message")
      }
    case .listServices: .answer(ReflectionResponse(.services(services), to: request))
    case nil: .invalid("the request asks for nothing that this service knows")
    }
  }

  private mutating func files(_ place: Int?, _ request: ReflectionRequest, _ refusal: String) -> Outcome {
    guard let place else { return missing(request, refusal) }
    let unsent = index.closure(of: place).filter { $0 == place || !sent.contains($0) }
    sent.formUnion(unsent)
    return .answer(ReflectionResponse(.files(index.bytes(of: unsent)), to: request))
  }

  /// What was asked for stands in the answer's copy of the question.
  private func missing(_ request: ReflectionRequest, _ message: String) -> Outcome {
    .answer(ReflectionResponse(.error(code: Self.notFound, message: message), to: request))
  }
}
