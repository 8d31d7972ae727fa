// SPDX-License-Identifier: Apache-2.0

/// Answers the questions of reflection from an index.
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

  /// A responder that lists the services given, which are those that the server offers; those of the index unless said
  /// otherwise.
  public init(_ index: DescriptorIndex, services: [String]? = nil) {
    self.index = index
    self.services = (services ?? index.services).sorted()
  }

  /// Answers one question.
  public func answer(_ request: ReflectionRequest) -> Outcome {
    switch request.kind {
    case .fileByName(let name): files(index.files(named: name), request, "no such file")
    case .fileContainingSymbol(let name): files(index.files(declaring: name), request, "no such symbol")
    case .fileContainingExtension(let type, let number):
      files(index.files(extending: type, number: number), request, "no such extension")
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

  private func files(_ files: [[UInt8]]?, _ request: ReflectionRequest, _ refusal: String) -> Outcome {
    guard let files else { return missing(request, refusal) }
    return .answer(ReflectionResponse(.files(files), to: request))
  }

  /// What was asked for stands in the answer's copy of the question.
  private func missing(_ request: ReflectionRequest, _ message: String) -> Outcome {
    .answer(ReflectionResponse(.error(code: Self.notFound, message: message), to: request))
  }
}
