/**
 * The storm: cards of a running machine are replaced at random, side by side and in place, each time by code of another class loader and version (option
 * {@code -storm}, command {@code card:storm}). A soak test for cards: the guest must not notice, and nothing of a version that is gone may stay.
 *
 * <p>A client of the board's API and of the framework. {@link org.backplane.storm.StormFrontEnd} starts it, {@link org.backplane.storm.StormPlan} says what,
 * {@link org.backplane.storm.Storm} does it, {@link org.backplane.storm.CardBundle} makes the versions.
 */
package org.backplane.storm;
