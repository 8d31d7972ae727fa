# SPDX-License-Identifier: Apache-2.0
"""The servers that the probe is pointed at: real ones, and ones that misbehave on purpose."""
