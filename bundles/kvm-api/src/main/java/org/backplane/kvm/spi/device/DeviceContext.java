package org.backplane.kvm.spi.device;

import java.util.Optional;
import java.util.concurrent.ThreadFactory;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The whole world of a device, given to {@link Device#attach}. Names are those of {@link DeviceFactory#resources}; the device
 * never learns base addresses or IRQ numbers. After the card has left, or was cut off by the watchdog, every method but {@link #slot} and {@link #log}
 * throws {@link RevokedException}, and so does everything that was got here.
 */
@ProviderType
public interface DeviceContext {
    /** Name of the slot, such as {@code com1}. */
    String slot();

    /** Name of the machine. For people: a card that belongs to several machines tells them apart by {@code machine} and {@code slot}. */
    String machine();

    /** Value of a property of the slot, or its default. */
    String property(String name);

    /**
     * Value of a property that is a number of up to 64 bits, decimal or with 0x.
     *
     * @throws IllegalArgumentException if it is none; the message names slot and property
     */
    default long number(String property) {
        String text = property(property);
        try {
            return text.startsWith("0x") ? Long.parseUnsignedLong(text.substring(2), 16) : Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("slot " + slot() + ": " + property + "=" + text + " is no number, decimal or with 0x");
        }
    }

    /**
     * Where the slot has put a resource: first port, gpa, GSI or channel; -1 when it is not connected. For cards that describe the board to its
     * guest (ACPI tables); a handler gets offsets and needs no base.
     */
    long place(String resource);

    /**
     * Claims a port range. The bus splits wider and unaligned accesses to what {@code sizes} allows.
     *
     * @param sizes bit set of the access sizes that the handler takes: 1, 2, 4
     * @throws ClaimException if the range overlaps another card's; the message names both
     */
    void claimPorts(String name, int sizes, IoHandler handler);

    /** Claims an MMIO range; sizes is a bit set of 1, 2, 4 and 8. */
    void claimMmio(String name, int sizes, IoHandler handler);

    /** The IRQ line of this name; unconnected lines may be driven and go nowhere. */
    IrqLine irq(String name);

    /** The ISA DMA channel of this name. */
    DmaLine dma(String name);

    /** Guest memory for bus masters. */
    DmaMemory memory();

    VmClock clock();

    /** A timer; made in {@link Device#attach}. The core owns its deadline and saves it under this name. */
    VmTimer timer(String name, Runnable callback);

    /** The character back end of this name: a null object when the slot has none. */
    CharPort character(String name);

    /** The block back end of this name; empty when no medium is there. */
    Optional<BlockPort> block(String name);

    /** Offers a facet of this card to the board, such as {@link InterruptController} or {@link DisplaySource}. In attach only. */
    <T> void provide(Class<T> facet, T implementation);

    /** Lines of the chipset: reset, A20, power. */
    Platform platform();

    /**
     * The only door for host threads: runs a task as a callback of this card. The tasks of a card that was swapped out in the
     * meantime are dropped: what must not be lost (input, say) waits in its back end.
     */
    void post(Runnable task);

    /**
     * Makes the card's host threads: daemons that are known to be its own. When the card has left ({@link Device#detach}) they are interrupted, and one that does
     * not end is reported.
     */
    ThreadFactory threads();

    /** Writes one line to the VM's log, with the slot's name; repeated lines are counted and not repeated. */
    void log(String message);
}
