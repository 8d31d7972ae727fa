// SPDX-License-Identifier: Apache-2.0

internal import SQLite

/// Runs reading jobs on one connection, a batch at a time.
final class ReadWorker: Worker {
  private let reader: UserReader
  private var current: Job<UserReader>?

  init(reader: UserReader) {
    self.reader = reader
    // A filter that fits nobody reads every row: nobody shall wait behind a caller who is gone.
    reader.database.interrupt { [unowned self] in current?.isCancelled ?? false }
  }

  /// One transaction for all: SQLite takes its locks once. Every job of the batch was submitted before it begins, so
  /// each sees whatever its caller saw written, and sees it unchanged until it ends.
  func run(_ jobs: [Job<UserReader>]) {
    do throws(SQLiteError) { try reader.database.begin(.reading) } catch {
      let error = StoreError(error)
      for job in jobs { job.fail(error) }
      return
    }
    for job in jobs {
      current = job
      do throws(StoreError) { try job.run(reader) } catch { job.fail(error) }
    }
    current = nil
    // Nothing was written, so nothing can be lost.
    try? reader.database.commit()
  }
}
