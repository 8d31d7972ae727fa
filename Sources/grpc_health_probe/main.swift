// SPDX-License-Identifier: Apache-2.0

import HealthProbe
import Sys

Process.exit(Probe.run(arguments: Process.arguments, environment: { Process.environment($0) }))
