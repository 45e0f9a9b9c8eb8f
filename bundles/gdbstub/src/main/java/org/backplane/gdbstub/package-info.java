/**
 * The GDB stub: the real gdb attaches to a machine over TCP (options {@code -s}, {@code -gdb}, {@code -S}; command {@code vm:gdb}).
 *
 * <p>A client of the board's API like the shell: it knows {@code Machine} and {@code MachineDebugger} and no implementation, so cards may be swapped under an
 * attached gdb. From the outside in: {@link org.backplane.gdbstub.GdbServer} has the port, {@link org.backplane.gdbstub.Connection} the packets,
 * {@link org.backplane.gdbstub.Session} the protocol, {@link org.backplane.gdbstub.RegisterLayout} the registers. Source: "Debugging with GDB", appendix E
 * (GDB Remote Serial Protocol) and G (Target Descriptions).
 */
package org.backplane.gdbstub;
