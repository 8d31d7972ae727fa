// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
internal import Bytes
internal import Sys

/// A program that runs a service: its flags can come from the environment, and what is wrong with them is told in one
/// line.
///
/// | exit code | meaning |
/// |---|---|
/// | 0 | it was asked to end, and every call has; or it was asked for help |
/// | 1 | it cannot start, or had to stop calls at its end |
/// | 64 | the flags make no sense |
public protocol ServiceCommand: AsyncParsableCommand {
  /// Every flag that the environment can set: ``ServerOptions/environmentFlags`` and its own.
  static var environmentFlags: [EnvironmentFlag] { get }
}

extension ServiceCommand {
  /// What a command's help says of the environment.
  public static var environmentHelp: String {
    """
    Every flag can also be set in the environment: --max-calls is \(EnvironmentFlag("max-calls").variable) there. The \
    command line wins.
    """
  }

  /// Runs the program with its own arguments and environment. To be called by its `main()`.
  public static func runAsProgram() async {
    do {
      let arguments = try EnvironmentFlags.merge(Process.arguments, flags: environmentFlags) {
        Process.environment($0)
      }
      var command = try parse(arguments)
      try await command.run()
    } catch let error as ConfigurationError {
      end(error.description, code: 1)
    } catch  where exitCode(for: error) == .success {
      exit(withError: error)
    } catch {
      end(message(for: error) + " (--help tells more)", code: exitCode(for: error).rawValue)
    }
  }

  private static func end(_ message: String, code: Int32) -> Never {
    let name = configuration.commandName ?? "service"
    // Messages quote what they were given: one line they stay.
    StandardStream.error.write("\(name): \(message.safeForDisplay)\n")
    Process.exit(code)
  }
}
