/**
 * Registers that are declared, not decoded.
 *
 * <p>A device keeps its registers in a {@link org.backplane.devicekit.RegisterFile}: each is declared with name, width, bit fields and
 * reset value, which gives reset, saving and loading by name, and an access trace by register and field name. A {@link
 * org.backplane.devicekit.RegisterBank} says at which offset of a claimed range which register answers, and is the {@code IoHandler} for
 * that range. Internal latches are registers too; they are just mapped nowhere.
 *
 * <pre>{@code
 * final class Watchdog implements Device {
 *     private final RegisterFile file = new RegisterFile("watchdog");
 *     private final Register control = file.register("control", 8)
 *             .bits("enable", 0)
 *             .bits("fired", 1, 1, Access.WRITE_ONE_TO_CLEAR)
 *             .bits("prescale", 4, 2, Access.UNIMPLEMENTED)
 *             .onWrite(v -> rearm());
 *     private final Register limit = file.register("limit", 16).resetValue(0xffff);
 *     private final Register left = file.register("left", 16).onRead(() -> remaining()).derived();
 *     private final RegisterBank regs = new RegisterBank(file, 8).at(0, control).at(2, limit).readAt(4, left);
 *     private final Field enable = control.field("enable");
 *
 *     public void attach(DeviceContext c) {
 *         file.attach(c);
 *         c.claimPorts("regs", 1 | 2, regs);
 *     }
 *     public void reset() { file.reset(); }
 *     public void save(CardState s) { file.save(s); }
 *     public void load(CardState s) throws StateException { file.load(s); }
 *     …
 * }
 * }</pre>
 */
@Export
@Version("1.1.0")
package org.backplane.devicekit;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
