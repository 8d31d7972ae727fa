// SPDX-License-Identifier: Apache-2.0

internal import SQLite

/// Runs writing jobs on one connection: a batch is one transaction, which reaches the disk once.
///
/// A job's fate is its own all the same. It runs inside of a savepoint, so what a failing job did is undone alone; and
/// where the transaction as a whole fails, as on a full disk, every job runs again in a transaction of its own.
struct WriteWorker: Worker {
  let writer: UserWriter
  /// Called after each batch that changed something. One that only read is none, or whoever reads because of it would
  /// be called for ever where the same thread reads and writes.
  let didCommit: @Sendable () -> Void

  private var database: Database { writer.database }

  func run(_ jobs: [Job<UserWriter>]) {
    let changes = database.totalChanges
    defer { if database.totalChanges != changes { didCommit() } }
    if jobs.count == 1 {
      runAlone(jobs)
    } else {
      do throws(SQLiteError) { try database.begin(.writing) } catch {
        // Whoever holds the lock would hold up each of them as long.
        let error = StoreError(error)
        for job in jobs { job.fail(error) }
        return
      }
      if !runTogether(jobs) { runAlone(jobs) }
    }
  }

  /// Runs the jobs in the transaction that is open. False where it is lost, and with it what they did.
  private func runTogether(_ jobs: [Job<UserWriter>]) -> Bool {
    for job in jobs {
      do throws(StoreError) {
        try database.savepoint { () throws(StoreError) in try job.run(writer) }
      } catch {
        guard database.isInTransaction else { return false }
        job.fail(error)
      }
    }
    do throws(SQLiteError) { try database.commit() } catch { return false }
    return true
  }

  private func runAlone(_ jobs: [Job<UserWriter>]) {
    for job in jobs {
      do throws(StoreError) {
        try database.transaction(.writing) { () throws(StoreError) in try job.run(writer) }
      } catch {
        job.fail(error)
      }
    }
  }
}
