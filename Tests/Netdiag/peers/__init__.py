# SPDX-License-Identifier: Apache-2.0
"""The other ends of what the tests look at."""
