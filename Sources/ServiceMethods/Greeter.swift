// SPDX-License-Identifier: Apache-2.0

public import GRPCMethods
public import Schemas

/// The methods of `pb.Greeter`.
public enum Greeter {
  /// The service's full name.
  public static let service = "pb.Greeter"
  /// A greeting for a name.
  public static let sayHello = rpc(service, "SayHello", Pb_HelloRequest.self, returns: Pb_HelloReply.self)
}
