/**
 * The board: machines, their slots and cards. For shells, command lines and other front ends; implemented by the core.
 *
 * <pre>{@code
 * Machine m = machines.create("demo", Map.of("m", List.of("64"), "fda", List.of("disk.img")));
 * m.start();
 * PageWalk walk = m.inspector().walk(0, 0xc0100000L);     // records, for any format
 * m.ended().join();
 * }</pre>
 */
@Export
@Version("1.3.0")
package org.backplane.board.api;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
