// SPDX-License-Identifier: Apache-2.0

public import NIOTransport
public import UserStore

/// Calls are handled on event loops in batches, and so the database is asked and answers in batches, too.
extension LoopExecutor: BatchingThread {}
