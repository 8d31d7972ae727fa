// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

extension Database {
  /// When a transaction takes its locks.
  public enum TransactionKind: Sendable {
    /// It reads, and what it reads does not change until it ends.
    case reading
    /// It writes: nobody else does until it ends.
    case writing

    fileprivate var begin: SQL {
      switch self {
      case .reading: "BEGIN DEFERRED"
      case .writing: "BEGIN IMMEDIATE"
      }
    }
  }

  /// Runs the body in a transaction, which is undone where the body throws or the commit fails.
  @discardableResult
  public func transaction<T, Failure: DatabaseFailure>(
    _ kind: TransactionKind, _ body: () throws(Failure) -> T
  ) throws(Failure) -> T {
    do throws(SQLiteError) { try begin(kind) } catch { throw Failure(error) }
    let result: T
    do throws(Failure) {
      result = try body()
    } catch {
      rollBack()
      throw error
    }
    do throws(SQLiteError) { try commit() } catch { throw Failure(error) }
    return result
  }

  /// Runs the body inside of an open transaction; what it changed is undone where it throws.
  @discardableResult
  public func savepoint<T, Failure: DatabaseFailure>(_ body: () throws(Failure) -> T) throws(Failure) -> T {
    do throws(SQLiteError) { try execute("SAVEPOINT step") } catch { throw Failure(error) }
    let result: T
    do throws(Failure) {
      result = try body()
    } catch {
      do throws(SQLiteError) { try undoSavepoint() } catch { throw Failure(error) }
      throw error
    }
    do throws(SQLiteError) { try execute("RELEASE step") } catch { throw Failure(error) }
    return result
  }

  /// Begins a transaction by hand. Whoever does so ends it with ``commit()`` or ``rollBack()``.
  public func begin(_ kind: TransactionKind) throws(SQLiteError) { try execute(kind.begin) }

  /// Ends a transaction and keeps what it changed; undoes it where that fails.
  public func commit() throws(SQLiteError) {
    do throws(SQLiteError) {
      try execute("COMMIT")
    } catch {
      rollBack()
      throw error
    }
  }

  /// Ends a transaction, if one is open, and undoes what it changed.
  public func rollBack() {
    // A failure means that the transaction is over already.
    if isInTransaction { _ = sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
  }

  private func undoSavepoint() throws(SQLiteError) {
    // Where SQLite gave up the whole transaction, there is nothing left to undo.
    guard isInTransaction else { return }
    try execute("ROLLBACK TO step")
    try execute("RELEASE step")
  }
}
