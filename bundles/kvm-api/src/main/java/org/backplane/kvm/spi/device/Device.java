package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * A device: a plain object in one slot of one VM.
 *
 * <p><b>Life.</b> {@link #attach} → ({@link #reset} | {@link #load}) → accesses, timers, posted tasks … → {@link #quiesce} →
 * ({@link #save}) → {@link #resume} or {@link #detach}. On a swap the new instance is attached to a staged context and loads a trial
 * copy while the old one still serves; only after {@link #resume} are its effects (IRQ levels, timers, output) real.
 *
 * <p><b>Threading.</b> Callbacks of one card are never concurrent and are ordered; no thread identity is promised. Host
 * threads enter through {@link DeviceContext#post} only. A callback that does not return in time is cut off: its context is revoked.
 */
@ConsumerType
public interface Device {
    /** Claims resources in the context and keeps it. No I/O, no IRQ, no timer is armed here. */
    void attach(DeviceContext context);

    /** Power-on state; also called on a reset of the machine. Lowers the IRQ lines. Idempotent. */
    void reset();

    /** Writes the whole state; no side effects: it may be called at any boundary, and the device goes on. */
    void save(CardState state);

    /**
     * Takes the state of an earlier instance, of {@link CardState#version} between the factory's oldest and current version.
     * Sets IRQ levels and arms timers as the state says.
     *
     * @throws StateException if the state cannot be taken; the old card then stays in service
     */
    void load(CardState state) throws StateException;

    /** No access comes until {@link #resume}; host activity (threads) must stop touching the device. Idempotent. */
    default void quiesce() {}

    /** Accesses come again. Idempotent. */
    default void resume() {}

    /** The card leaves; release host threads. Claims, timers and lines are released by the board. Tolerates late calls. */
    default void detach() {}
}
