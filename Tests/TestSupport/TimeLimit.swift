// SPDX-License-Identifier: Apache-2.0

public import Testing

extension Trait where Self == TimeLimitTrait {
  /// Ends a test that hangs, and names it.
  ///
  /// Far from what any test needs: the tests of all suites start together, so that on a slow, busy machine each has to
  /// wait for its turns.
  public static var endsIfItHangs: Self { .timeLimit(.minutes(15)) }
}
