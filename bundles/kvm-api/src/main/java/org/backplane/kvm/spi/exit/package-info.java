/**
 * The exit-dispatch bus: exit reasons, the record of an exit, handlers by reason.
 *
 * <pre>{@code
 * @Component(property = ExitHandler.REASONS + ":Integer=18")
 * public final class Hypercalls implements ExitHandler {
 *     public Result handle(VcpuContext v, VmExit exit) { …; return Result.SKIP; }
 * }
 * }</pre>
 */
@Export
@Version("1.0.0")
package org.backplane.kvm.spi.exit;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
