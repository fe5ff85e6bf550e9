// As `supabase gen types typescript` writes them.
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  __InternalSupabase: { PostgrestVersion: '13' };
  public: {
    Tables: {
      customers: {
        Row: {
          address: Json | null;
          created_at: string;
          email: string;
          full_name: string | null;
          id: number;
          mrr: number | null;
          newsletter: boolean;
          plan: Database['public']['Enums']['plan'];
        };
        Insert: { email: string };
        Update: { email?: string };
        Relationships: [];
      };
      orders: {
        Row: { customer_email: string; id: number; line_items: Json; status: string; total: number };
        Insert: { customer_email: string };
        Update: { customer_email?: string };
        Relationships: [];
      };
    };
    Views: { totals: { Row: { email: string | null; total: number | null }; Relationships: [] } };
    Functions: { [_ in never]: never };
    Enums: { plan: 'free' | 'pro' };
    CompositeTypes: { [_ in never]: never };
  };
  crm: {
    Tables: {
      leads: {
        Row: { email: string; score: number };
        Insert: { email: string };
        Update: { email?: string };
        Relationships: [];
      };
    };
    Views: { [_ in never]: never };
    Functions: { [_ in never]: never };
    Enums: { [_ in never]: never };
    CompositeTypes: { [_ in never]: never };
  };
};

/** What contacts have. */
export interface Attributes {
  FIRSTNAME: string;
  CITY: string;
  PLAN: string;
  MRR: number;
  NEWSLETTER: boolean;
}
