// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Sys

Process.exit(Netdiag.run(arguments: Process.arguments, environment: { Process.environment($0) }))
