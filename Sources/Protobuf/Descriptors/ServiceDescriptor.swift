// SPDX-License-Identifier: Apache-2.0

/// A service.
public struct ServiceDescriptor: DeclaredDescriptor {
  /// The pool.
  public let pool: DescriptorPool
  private let index: Int

  init(_ pool: DescriptorPool, _ index: Int) {
    self.pool = pool
    self.index = index
  }

  private var layout: ServiceLayout { pool.serviceLayouts[index] }
  var common: CommonLayout { layout.common }

  /// Its place in its file, as `google.protobuf.SourceCodeInfo.Location` has it.
  public var path: [Int32] { path(inFile: 6, inMessage: 6) }

  /// Its methods, in the order of the declaration.
  public var methods: [MethodDescriptor] { layout.methods.map { MethodDescriptor(pool, $0) } }

  /// Whether both are handles of one declaration.
  public static func == (left: ServiceDescriptor, right: ServiceDescriptor) -> Bool {
    DescriptorPool.same((left.pool, left.index), (right.pool, right.index))
  }
}

/// A method.
public struct MethodDescriptor: DeclaredDescriptor {
  /// The pool.
  public let pool: DescriptorPool
  private let index: Int

  init(_ pool: DescriptorPool, _ index: Int) {
    self.pool = pool
    self.index = index
  }

  private var layout: MethodLayout { pool.methodLayouts[index] }
  var common: CommonLayout { layout.common }

  /// Its place in its file, as `google.protobuf.SourceCodeInfo.Location` has it.
  public var path: [Int32] { service.path + [2, Int32(truncatingIfNeeded: common.place.position)] }

  /// The service that it is of.
  public var service: ServiceDescriptor { ServiceDescriptor(pool, layout.service) }
  /// What it is called with.
  public var input: MessageDescriptor { MessageDescriptor(pool, layout.input) }
  /// What it answers with.
  public var output: MessageDescriptor { MessageDescriptor(pool, layout.output) }
  /// Whether a call may have any number of requests.
  public var isClientStreaming: Bool { layout.isClientStreaming }
  /// Whether a call may have any number of answers.
  public var isServerStreaming: Bool { layout.isServerStreaming }
  /// The path of a call: `/user.v1.UserService/GetUser`.
  public var callPath: String { "/" + service.fullName + "/" + name }

  /// Whether both are handles of one declaration.
  public static func == (left: MethodDescriptor, right: MethodDescriptor) -> Bool {
    DescriptorPool.same((left.pool, left.index), (right.pool, right.index))
  }
}
