/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that libraries free for us: what they held may have been a secret. */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

/*
 * From now on what jansson and libevent free is wiped: JSON, and the buffers of answers. jansson
 * without memory ends the process. Called first, as long as there is one thread.
 */
void memory_wipe_freed(void);

#endif
