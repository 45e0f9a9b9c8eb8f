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
 *
 * <p><b>What a bit does</b> is one of {@link org.backplane.devicekit.Access}: read-write, read-only, write-only, write-1-to-clear, -set or -toggle,
 * read-to-clear, reserved as zeros or ones, and unimplemented: kept, and told to the log once when the guest first uses it. What a register does
 * beyond its bits are callbacks: {@code onRead} computes what is read, {@code afterRead} and {@code onWrite} follow an access. Equal registers are
 * a {@link org.backplane.devicekit.RegisterArray}, declared as one and laid out with a stride.
 *
 * <p><b>The board.</b> {@link org.backplane.devicekit.RegisterFile#attach} in {@code attach} gives a card the log and the access trace: {@code card:trace
 * SLOT on} in the shell records every access with register, fields, value and the guest's instruction. Off, it costs nothing.
 *
 * <p><b>People.</b> {@link org.backplane.devicekit.Controls} declares what can be done with a card from outside: buttons, knobs, lamps. The shell offers
 * it as {@code card:use SLOT CONTROL}; it happens as a callback of the card, so that nothing needs a lock.
 *
 * <p><b>State.</b> {@code save} and {@code load} put and take every register by name. The names are the format: a later version of the card may
 * add registers (an older state has none, they take their reset values); what it renames, drops, or adds with another start value it declares as
 * {@link org.backplane.kvm.spi.device.StateRules}, by which states also go back to older versions. Deadlines of
 * timers are saved by the core. What follows from the registers (the level of a line) is derived again in {@code load}.
 *
 * <p><b>A whole card</b> is {@code MiniUart} in the tests of this module, package {@code org.backplane.devicekit.example}: a UART with ports, an
 * IRQ line, a timer, a character back end and state, with its factory, its test on the bench ({@link org.backplane.devicekit.test}), the contract and
 * the fuzz test. Read it first; a new card is a copy of these four files.
 */
@Export
@Version("1.2.0")
package org.backplane.devicekit;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
