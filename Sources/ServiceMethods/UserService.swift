// SPDX-License-Identifier: Apache-2.0

// ServiceMethods: the methods of the reference services, as servers implement and clients call them.

public import GRPCMethods
public import Schemas
public import SwiftProtobuf

/// The methods of `user.v1.UserService`.
public enum UserService {
  /// The service's full name.
  public static let service = "user.v1.UserService"
  /// One user by its id.
  public static let getUser = rpc(service, "GetUser", User_V1_GetUserRequest.self, returns: User_V1_User.self)
  /// A page of users.
  public static let listUsers = rpc(
    service, "ListUsers", User_V1_ListUsersRequest.self, returns: User_V1_ListUsersResponse.self)
  /// A new user.
  public static let createUser = rpc(service, "CreateUser", User_V1_CreateUserRequest.self, returns: User_V1_User.self)
  /// Other values for some of a user's fields.
  public static let updateUser = rpc(service, "UpdateUser", User_V1_UpdateUserRequest.self, returns: User_V1_User.self)
  /// One user less.
  public static let deleteUser = rpc(
    service, "DeleteUser", User_V1_DeleteUserRequest.self, returns: Google_Protobuf_Empty.self)
  /// All users, or those that a filter finds.
  public static let streamUsers = rpc(
    service, "StreamUsers", User_V1_StreamUsersRequest.self, returns: stream(User_V1_User.self))
  /// Changes as they happen.
  public static let watchUsers = rpc(
    service, "WatchUsers", User_V1_WatchUsersRequest.self, returns: stream(User_V1_UserEvent.self))
  /// Many new users.
  public static let createUsers = rpc(
    service, "CreateUsers", stream(User_V1_CreateUserRequest.self), returns: User_V1_CreateUsersResponse.self)
  /// What is said in a room.
  public static let chat = rpc(
    service, "Chat", stream(User_V1_ChatMessage.self), returns: stream(User_V1_ChatMessage.self))
}
