-- A forum: the shape of a large application whose framework declares no foreign keys, written from memory.
CREATE TABLE users (
  id serial PRIMARY KEY, username varchar(60) NOT NULL, username_lower varchar(60) NOT NULL, name varchar,
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL, active boolean NOT NULL DEFAULT false,
  admin boolean NOT NULL DEFAULT false, moderator boolean DEFAULT false, trust_level integer NOT NULL,
  last_seen_at timestamp, primary_group_id integer, seen_notification_id bigint NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX index_users_on_username ON users (username);
CREATE UNIQUE INDEX index_users_on_username_lower ON users (username_lower);
CREATE INDEX idx_users_admin ON users (id) WHERE admin;
CREATE TABLE user_emails (
  id serial PRIMARY KEY, user_id integer NOT NULL, email varchar(513) NOT NULL, "primary" boolean NOT NULL DEFAULT false,
  created_at timestamp NOT NULL, updated_at timestamp NOT NULL);
CREATE UNIQUE INDEX index_user_emails_on_email ON user_emails (lower(email));
CREATE INDEX index_user_emails_on_user_id ON user_emails (user_id);
CREATE TABLE user_profiles (
  user_id integer PRIMARY KEY, location varchar, website varchar, bio_raw text, views integer NOT NULL DEFAULT 0);
CREATE TABLE user_stats (user_id integer PRIMARY KEY, topics_entered integer NOT NULL DEFAULT 0, read_time integer NOT NULL DEFAULT 0);
CREATE TABLE categories (
  id serial PRIMARY KEY, name varchar(50) NOT NULL, slug varchar NOT NULL, user_id integer NOT NULL,
  parent_category_id integer, topic_id integer, read_restricted boolean NOT NULL DEFAULT false, created_at timestamp NOT NULL);
CREATE TABLE topics (
  id serial PRIMARY KEY, title varchar NOT NULL, user_id integer, category_id integer, views integer NOT NULL DEFAULT 0,
  closed boolean NOT NULL DEFAULT false, created_at timestamp NOT NULL, bumped_at timestamp NOT NULL, deleted_at timestamp);
CREATE INDEX index_topics_on_bumped_at ON topics (bumped_at DESC);
CREATE INDEX index_topics_on_bumped_at_public ON topics (bumped_at) WHERE deleted_at IS NULL;
CREATE TABLE posts (
  id serial PRIMARY KEY, user_id integer, topic_id integer NOT NULL, post_number integer NOT NULL, raw text NOT NULL,
  reply_to_post_number integer, like_count integer NOT NULL DEFAULT 0, created_at timestamp NOT NULL, deleted_at timestamp);
CREATE UNIQUE INDEX index_posts_on_topic_id_and_post_number ON posts (topic_id, post_number);
CREATE INDEX idx_posts_user_id ON posts (user_id) WHERE deleted_at IS NULL;
CREATE INDEX index_posts_on_topic_id ON posts (topic_id);
CREATE TABLE post_custom_fields (
  id serial PRIMARY KEY, post_id integer NOT NULL, name varchar(256) NOT NULL, value text);
CREATE INDEX index_post_custom_fields_on_name_and_value ON post_custom_fields (name, "left"(value, 200));
CREATE TABLE post_actions (
  id serial PRIMARY KEY, post_id integer NOT NULL, user_id integer NOT NULL, post_action_type_id integer NOT NULL,
  deleted_at timestamp, created_at timestamp NOT NULL);
CREATE UNIQUE INDEX idx_unique_actions ON post_actions (user_id, post_action_type_id, post_id) WHERE deleted_at IS NULL;
CREATE TABLE groups (id serial PRIMARY KEY, name varchar NOT NULL, automatic boolean NOT NULL DEFAULT false);
CREATE UNIQUE INDEX index_groups_on_name ON groups (name);
CREATE TABLE group_users (
  id serial PRIMARY KEY, group_id integer NOT NULL, user_id integer NOT NULL, owner boolean NOT NULL DEFAULT false);
CREATE UNIQUE INDEX index_group_users_on_group_id_and_user_id ON group_users (group_id, user_id);
CREATE UNIQUE INDEX index_group_users_on_user_id_and_group_id ON group_users (user_id, group_id);
CREATE TABLE tags (id serial PRIMARY KEY, name varchar NOT NULL, target_tag_id integer);
CREATE UNIQUE INDEX index_tags_on_name ON tags (name);
CREATE UNIQUE INDEX index_tags_on_lower_name ON tags (lower(name));
CREATE TABLE topic_tags (id serial PRIMARY KEY, topic_id integer NOT NULL, tag_id integer NOT NULL);
CREATE UNIQUE INDEX index_topic_tags_on_topic_id_and_tag_id ON topic_tags (topic_id, tag_id);
CREATE TABLE notifications (
  id bigserial PRIMARY KEY, notification_type integer NOT NULL, user_id integer NOT NULL, data varchar(1000) NOT NULL,
  read boolean NOT NULL DEFAULT false, topic_id integer, post_number integer, created_at timestamp NOT NULL);
CREATE INDEX idx_notifications_speedup ON notifications (user_id, id) WHERE NOT read;
CREATE INDEX index_notifications_on_read ON notifications (read);
CREATE TABLE bookmarks (
  id bigserial PRIMARY KEY, user_id bigint NOT NULL, bookmarkable_type varchar, bookmarkable_id integer, name varchar(100));
CREATE UNIQUE INDEX idx_bookmarks_unique ON bookmarks (user_id, bookmarkable_type, bookmarkable_id);
CREATE TABLE site_settings (id serial PRIMARY KEY, name varchar NOT NULL, data_type integer NOT NULL, value text);
CREATE TABLE badge_posts_backup (post_id integer, note text);
CREATE VIEW badge_posts AS SELECT p.* FROM posts p JOIN topics t ON t.id = p.topic_id WHERE p.deleted_at IS NULL;
