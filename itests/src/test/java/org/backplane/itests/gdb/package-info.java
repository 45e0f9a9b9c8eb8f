/** The GDB stub, with raw packets and with the real gdb. */
package org.backplane.itests.gdb;
